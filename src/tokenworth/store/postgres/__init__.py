"""The ledger on PostgreSQL: many processes and hosts at once, decided by the same machine as on SQLite. Needs the extra `postgres`.

schema.sql  the tables
connect     open a connection: settings, schema, what an error means
routines    what a connection asks of the server in one round trip: read facts, lock and read, compare versions and write
fetch       the facts of a batch
write       the rows of a batch
writer      batches of one event loop: decided from memory, written if nobody else was faster
ledger      the ledger of a process
session     a connection for callers without an event loop
reader      read-only views: events, accounts, lots
directory   customers and their API keys
"""
