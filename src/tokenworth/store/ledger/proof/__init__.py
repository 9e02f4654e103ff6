"""The proof that the ledger adds up: what is stored twice is derived again from the postings and compared. The same on every engine.

queries   what the engine aggregates: standard SQL, that every engine runs
report    what was checked and what is wrong
sums      sums of postings by lot, folded into lots and accounts
corrections  corrections against their postings and what they correct
contents  what rows say in text
prove     the phases, in order
"""
