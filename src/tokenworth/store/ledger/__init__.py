"""What every engine of the ledger shares, so that they mean the same.

codec     rows of the tables <-> values of the capture machine
facts     what a batch of commands must know of the database before it is decided
memory    what a writer knows: accounts and open holds between batches, the batch's own changes on top
apply     one command through the machine
queue     callers that wait, and batches of them
proof     the proof that it adds up
reports   what the accountant's reports and a customer's history read
"""
