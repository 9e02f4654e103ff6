"""The ledger on SQLite: one file, exact for any number of processes.

schema.sql  the tables
connect     open a file: pragmas, version check
codec       rows <-> values
memory      accounts and open holds in memory, loaded when asked for
ledger      the writer: what queued up becomes one durable commit
reader      read-only views: events, accounts, lots
verify      the file's own integrity, then the proof of store/ledger/proof
directory   customers and their API keys
books       immutable versions of the book
"""
