"""The first ledger on SQLite. PostgreSQL begins at 2."""

from tokenworth.store.migrations.script import write

revision = "0001"
down_revision = None

SQLITE = """
CREATE TABLE account (
    customer TEXT PRIMARY KEY,
    unit     TEXT NOT NULL,
    currency TEXT NOT NULL,
    balance  INTEGER NOT NULL CHECK (balance >= 0),
    held     INTEGER NOT NULL CHECK (held BETWEEN 0 AND balance),
    debt     INTEGER NOT NULL CHECK (debt >= 0),
    version  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lot (
    seq      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL REFERENCES account (customer),
    source   TEXT NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    paid     INTEGER NOT NULL CHECK (paid >= 0),
    at       INTEGER NOT NULL,
    used     INTEGER NOT NULL CHECK (used BETWEEN 0 AND amount),
    held     INTEGER NOT NULL CHECK (held BETWEEN 0 AND amount - used)
) STRICT;
CREATE INDEX lot_open ON lot (customer, seq) WHERE used < amount;

CREATE TABLE hold (
    id       TEXT PRIMARY KEY,
    customer TEXT NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount >= 0),
    bound    TEXT NOT NULL,               -- [[lot, amount], ...] in the order of burn-down
    deadline INTEGER NOT NULL,
    key      TEXT NOT NULL,               -- the caller's idempotency key, empty for none
    body     TEXT NOT NULL,               -- digest of the request
    state    INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    draft    TEXT NOT NULL                -- the event as far as it is known; empty once closed
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hold_key ON hold (customer, key) WHERE key <> '' AND state <> 2;
CREATE INDEX hold_deadline ON hold (deadline) WHERE state = 0;

CREATE TABLE posting (
    seq      INTEGER PRIMARY KEY,
    entry    TEXT NOT NULL,               -- the event or grant that caused it
    line     INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    unit     TEXT NOT NULL,
    debit    TEXT NOT NULL,
    credit   TEXT NOT NULL CHECK (credit <> debit),
    amount   INTEGER NOT NULL CHECK (amount > 0),
    lot      TEXT NOT NULL,
    before   INTEGER,                     -- the wallet's balance, where a wallet is touched
    after    INTEGER,
    version  INTEGER NOT NULL,            -- of the customer's account after the entry
    at       INTEGER NOT NULL,            -- when it happened
    recorded INTEGER NOT NULL,            -- when it was written
    UNIQUE (entry, line)
) STRICT;

CREATE TABLE event (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    customer    TEXT NOT NULL,
    plan        TEXT NOT NULL,
    api_key     TEXT NOT NULL,
    product     TEXT NOT NULL,
    tier        TEXT NOT NULL,
    supplier    TEXT NOT NULL,
    model       TEXT NOT NULL,
    api         TEXT NOT NULL,
    at          INTEGER NOT NULL,
    unit        TEXT NOT NULL,
    currency    TEXT NOT NULL,
    card        TEXT NOT NULL,
    cost_card   TEXT NOT NULL,
    book        TEXT NOT NULL,
    status      TEXT NOT NULL,
    ended       INTEGER NOT NULL,
    counts      TEXT NOT NULL,            -- {"input": 12, ...}
    charge      INTEGER NOT NULL CHECK (charge >= 0),
    revenue     INTEGER NOT NULL CHECK (revenue >= 0),
    cost        INTEGER NOT NULL CHECK (cost >= 0),
    first_token INTEGER NOT NULL,
    alarm       TEXT NOT NULL
) STRICT;

CREATE TABLE customer (
    id      TEXT PRIMARY KEY,
    plan    TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    id       TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customer (id),
    digest   TEXT NOT NULL UNIQUE,        -- SHA-256 of the secret; the secret is never stored
    created  INTEGER NOT NULL,
    revoked  INTEGER NOT NULL DEFAULT 0   -- 0: in use
) STRICT, WITHOUT ROWID;

CREATE TABLE book (
    seq     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL,                -- digest of its files; one book may be applied again after another
    files   TEXT NOT NULL,                -- {"name.toml": "text", ...}
    applied INTEGER NOT NULL
) STRICT;

-- counts changes to customers and keys, so that a gateway knows when to look again
CREATE TABLE key_version (total INTEGER NOT NULL) STRICT;
INSERT INTO key_version VALUES (0);
CREATE TRIGGER key_added AFTER INSERT ON api_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER key_changed AFTER UPDATE ON api_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER customer_changed AFTER UPDATE ON customer BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER posting_stays BEFORE UPDATE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE TRIGGER posting_remains BEFORE DELETE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END;
"""


def upgrade() -> None:
    """Make the tables."""
    write(sqlite=SQLITE, postgresql="")
