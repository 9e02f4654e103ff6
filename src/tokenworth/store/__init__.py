"""Durable stores behind the ports of the flows: SQLite for the ledger, Parquet for history."""
