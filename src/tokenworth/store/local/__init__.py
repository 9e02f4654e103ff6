"""A ledger that another process of this machine owns, reached over a Unix socket.

frames  messages of any length over a stream of bytes
wire    commands and results <-> JSON
owner   the side that has the ledger
client  the side that asks
"""
