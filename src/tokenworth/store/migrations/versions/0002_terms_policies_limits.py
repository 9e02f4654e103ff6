"""Lots with terms, policies, corrections and limits; a posting's kind says why it was made. PostgreSQL begins here, with its schema.sql."""

from tokenworth.store.migrations.script import write

revision = "0002"
down_revision = "0001"

TABLES = """
ALTER TABLE account ADD COLUMN policy  TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN lent    INTEGER NOT NULL DEFAULT 0 CHECK (lent >= 0);
ALTER TABLE account ADD COLUMN passed  TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN top_ups INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN pending TEXT NOT NULL DEFAULT '';

ALTER TABLE lot ADD COLUMN gone      INTEGER NOT NULL DEFAULT 0 CHECK (gone >= 0 AND used + held + gone <= amount);
ALTER TABLE lot ADD COLUMN state     INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2, 3));
ALTER TABLE lot ADD COLUMN priority  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lot ADD COLUMN effective INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lot ADD COLUMN expiry    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lot ADD COLUMN products  TEXT NOT NULL DEFAULT '[]';
ALTER TABLE lot ADD COLUMN tiers     TEXT NOT NULL DEFAULT '[]';
ALTER TABLE lot ADD COLUMN who       TEXT NOT NULL DEFAULT '';
ALTER TABLE lot ADD COLUMN why       TEXT NOT NULL DEFAULT '';
ALTER TABLE lot ADD COLUMN live INTEGER NOT NULL GENERATED ALWAYS AS (state IN (0, 3) AND used + gone < amount) VIRTUAL;
ALTER TABLE lot ADD COLUMN due INTEGER GENERATED ALWAYS AS (iif(state = 0 AND expiry > 0 AND used + held + gone < amount, expiry, NULL)) VIRTUAL;
DROP INDEX lot_open;
CREATE INDEX lot_live ON lot (customer) WHERE live;
CREATE INDEX lot_due ON lot (due) WHERE due IS NOT NULL;

ALTER TABLE hold ADD COLUMN counted TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN waived  INTEGER NOT NULL DEFAULT 0 CHECK (waived >= 0);
ALTER TABLE api_key ADD COLUMN project TEXT NOT NULL DEFAULT '';

CREATE TABLE spend (
    customer TEXT NOT NULL,
    subject  TEXT NOT NULL,
    period   TEXT NOT NULL,
    start    INTEGER NOT NULL,
    used     INTEGER NOT NULL CHECK (used >= 0),
    held     INTEGER NOT NULL CHECK (held >= 0),
    PRIMARY KEY (customer, subject, period, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE correction (
    id       TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,
    customer TEXT NOT NULL,
    corrects TEXT NOT NULL,
    amount   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    who      TEXT NOT NULL,
    why      TEXT NOT NULL,
    recorded INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_of ON correction (corrects);
CREATE TRIGGER correction_stays BEFORE UPDATE ON correction BEGIN SELECT raise(ABORT, 'corrections are append-only'); END;
CREATE TRIGGER correction_remains BEFORE DELETE ON correction BEGIN SELECT raise(ABORT, 'corrections are append-only'); END;

CREATE TABLE notice (
    seq       INTEGER PRIMARY KEY,
    customer  TEXT NOT NULL,
    kind      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    remaining INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    recorded  INTEGER NOT NULL
) STRICT;
"""

DRAFTS = """
-- fields of an event in another order: cost, first_token and alarm come before charge, and project, which nobody had, and waived are new
UPDATE hold SET draft = json_array(
    draft ->> 0, draft ->> 1, draft ->> 2, draft ->> 3, draft ->> 4, draft ->> 5, draft ->> 6, draft ->> 7, draft ->> 8, draft ->> 9,
    draft ->> 10, draft ->> 11, draft ->> 12, draft ->> 13, draft ->> 14, draft ->> 15, draft ->> 16, draft ->> 17,
    draft ->> 20, draft ->> 21, draft ->> 22, '', draft ->> 18, 0, draft ->> 19
) WHERE draft <> '';
"""

KINDS = """
-- kind was that of the entry; it is told by the accounts, and what moves in the currency has the kind of the line before it
DROP TRIGGER posting_stays;
UPDATE posting SET kind = CASE
    WHEN substr(debit, 1, 7) = 'issued:' OR debit = 'payments' THEN 'grant'
    WHEN substr(debit, 1, 5) = 'debt:' THEN 'owe'
    WHEN substr(credit, 1, 5) = 'debt:' THEN 'repay'
    ELSE 'use' END
WHERE debit <> 'deferred';
-- (a line that is missing is for verify to say, not for the upgrade to fail on)
UPDATE posting SET kind = ifnull((SELECT cause.kind FROM posting AS cause WHERE (cause.entry, cause.line) = (posting.entry, posting.line - 1)), 'use')
WHERE debit = 'deferred';
CREATE TRIGGER posting_stays BEFORE UPDATE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE INDEX posting_debt ON posting (seq) WHERE substr(debit, 1, 5) = 'debt:' OR substr(credit, 1, 5) = 'debt:';
"""

PROMOTIONS = """
-- what it cost to serve what given credits paid for was not booked; a settlement's other postings say when it was
INSERT INTO posting (entry, line, kind, unit, debit, credit, amount, lot, version, at, recorded)
SELECT event.id, (SELECT max(line) + 1 FROM posting AS last WHERE last.entry = event.id), 'promotion', event.currency, 'promotional', 'cost',
    share(event.cost, sum(used.amount), event.charge), '', used.version, used.at, used.recorded
FROM event JOIN posting AS used ON used.entry = event.id AND used.kind = 'use' AND used.credit = 'used' JOIN lot ON lot.id = used.lot
WHERE lot.source IN ('promotional', 'goodwill') AND event.cost > 0
GROUP BY event.seq HAVING share(event.cost, sum(used.amount), event.charge) > 0 ORDER BY event.seq;
"""


def upgrade() -> None:
    """Add what is new, write drafts and kinds as they are now, and book promotional cost."""
    write(sqlite=TABLES + DRAFTS + KINDS + PROMOTIONS, postgresql="")
