"""Statements made from names of columns."""


def select(columns: tuple[str, ...], table: str) -> str:
    """Return the start of a SELECT of named columns."""
    return f"SELECT {', '.join(columns)} FROM {table}"


def insert(columns: tuple[str, ...], table: str, rows: int = 1) -> str:
    """Return an INSERT of named columns, of so many rows."""
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"
