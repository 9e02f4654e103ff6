"""Was exactly that collected, once, from credits that existed? A pure machine: (state, command) -> changes | refusal.

events     the usage event: what was used, charged and paid for it, one per request
commands   what can be asked of the ledger, and the results and refusals
postings   double-entry accounts and postings
state      accounts, lots, holds
machine    the rules, pure: instants and ids come in as arguments
"""
