"""On SQLite, whether a lot is live is stored and no longer generated, so that a settlement does not write the indexes of it.

On both engines: who has debt is found without a look at every account, and a customer may have terms of its own.
"""

from tokenworth.store.migrations.script import write

revision = "0003"
down_revision = "0002"

LOT = """
CREATE TABLE new_lot (
    seq      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL REFERENCES account (customer),
    source   TEXT NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    paid     INTEGER NOT NULL CHECK (paid >= 0),
    at       INTEGER NOT NULL,
    used     INTEGER NOT NULL CHECK (used BETWEEN 0 AND amount),
    held     INTEGER NOT NULL CHECK (held BETWEEN 0 AND amount - used),
    gone     INTEGER NOT NULL DEFAULT 0 CHECK (gone >= 0 AND used + held + gone <= amount),
    state    INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2, 3)),
    priority INTEGER NOT NULL DEFAULT 0,
    effective INTEGER NOT NULL DEFAULT 0,
    expiry   INTEGER NOT NULL DEFAULT 0,
    products TEXT NOT NULL DEFAULT '[]',
    tiers    TEXT NOT NULL DEFAULT '[]',
    who      TEXT NOT NULL DEFAULT '',
    why      TEXT NOT NULL DEFAULT '',
    live     INTEGER NOT NULL CHECK (live = (state IN (0, 3) AND used + gone < amount)),
    due      INTEGER CHECK (due IS iif(state = 0 AND expiry > 0 AND used + gone < amount, expiry, NULL))
) STRICT;
INSERT INTO new_lot
SELECT seq, id, customer, source, amount, paid, at, used, held, gone, state, priority, effective, expiry, products, tiers, who, why,
    state IN (0, 3) AND used + gone < amount, iif(state = 0 AND expiry > 0 AND used + gone < amount, expiry, NULL)
FROM lot ORDER BY seq;
DROP TABLE lot;
ALTER TABLE new_lot RENAME TO lot;
CREATE INDEX lot_live ON lot (customer) WHERE live;
CREATE INDEX lot_due ON lot (due) WHERE due IS NOT NULL;
"""

DEBTORS = "CREATE INDEX account_debt ON account (customer) WHERE debt > 0;\n"

OWN = "ALTER TABLE customer ADD COLUMN own TEXT NOT NULL DEFAULT '';\n"


def upgrade() -> None:
    """Make SQLite's table of lots anew; on both engines, index who has debt, and make room for customers' own terms."""
    write(sqlite=LOT + DEBTORS + OWN, postgresql=DEBTORS + OWN)
