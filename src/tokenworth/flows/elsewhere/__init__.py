"""Record usage that happened elsewhere: at another gateway, in somebody's log, in a file.

reported   one use as another system tells it, and the hash of what it says
rating     whose it is, which product and model, charge and cost at its own time
intake     from what was read to the ledger: accepted, known before, or refused
"""
