"""Immutable versions of the book: the texts under which events were rated, whole, under their digest."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BookVersion:
    """A book as it was applied: id (digest), file texts by name, and when."""

    id: str
    files: Mapping[str, str]
    applied: int


def apply_book(db: sqlite3.Connection, id_: str, files: Mapping[str, str], at: int) -> BookVersion:
    """Store a version unless it is the one in force; return the one in force. History is only added to."""
    db.execute("BEGIN IMMEDIATE")
    try:
        current = latest(db)
        if current is None or current.id != id_:
            text = json.dumps(dict(files), sort_keys=True)
            db.execute("INSERT INTO book (id, files, applied) VALUES (?, ?, ?)", (id_, text, at))
            current = BookVersion(id_, dict(files), at)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return current


def latest(db: sqlite3.Connection) -> BookVersion | None:
    """Return the version in force, None where none was applied yet."""
    row = db.execute("SELECT id, files, applied FROM book ORDER BY seq DESC LIMIT 1").fetchone()
    return BookVersion(row[0], json.loads(row[1]), row[2]) if row else None


def latest_number(db: sqlite3.Connection) -> int:
    """Return which application is the last, counted from 1; 0 where there was none. Cheap enough to ask every second."""
    row = db.execute("SELECT max(seq) FROM book").fetchone()
    return int(row[0] or 0)


def get(db: sqlite3.Connection, id_: str) -> BookVersion | None:
    """Return a version by its digest, as it was first applied."""
    row = db.execute("SELECT id, files, applied FROM book WHERE id = ? ORDER BY seq LIMIT 1", (id_,)).fetchone()
    return BookVersion(row[0], json.loads(row[1]), row[2]) if row else None
