-- The ledger. Amounts are nano-units, instants UTC microseconds. posting, event and correction are append-only.

CREATE TABLE account (
    customer TEXT PRIMARY KEY,
    unit     TEXT NOT NULL,
    currency TEXT NOT NULL,
    balance  INTEGER NOT NULL CHECK (balance >= 0),
    held     INTEGER NOT NULL CHECK (held BETWEEN 0 AND balance),
    debt     INTEGER NOT NULL CHECK (debt >= 0),
    version  INTEGER NOT NULL,
    policy   TEXT NOT NULL DEFAULT '',    -- JSON; empty for the standard policy
    lent     INTEGER NOT NULL DEFAULT 0 CHECK (lent >= 0), -- what open holds take of the credit line
    passed   TEXT NOT NULL DEFAULT '',    -- low-balance thresholds told of, as JSON
    top_ups  INTEGER NOT NULL DEFAULT 0,  -- how many were asked for
    pending  TEXT NOT NULL DEFAULT ''     -- the one that is not confirmed yet
) STRICT, WITHOUT ROWID;
CREATE INDEX account_debt ON account (customer) WHERE debt > 0;

CREATE TABLE lot (
    seq      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL REFERENCES account (customer),
    source   TEXT NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    paid     INTEGER NOT NULL CHECK (paid >= 0),
    at       INTEGER NOT NULL,
    used     INTEGER NOT NULL CHECK (used BETWEEN 0 AND amount),
    held     INTEGER NOT NULL CHECK (held BETWEEN 0 AND amount - used),
    gone     INTEGER NOT NULL DEFAULT 0 CHECK (gone >= 0 AND used + held + gone <= amount), -- expired or taken back
    state    INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2, 3)),                      -- active, pending, cancelled, void
    priority INTEGER NOT NULL DEFAULT 0,
    effective INTEGER NOT NULL DEFAULT 0,
    expiry   INTEGER NOT NULL DEFAULT 0,  -- 0: never
    products TEXT NOT NULL DEFAULT '[]',  -- JSON; empty for all
    tiers    TEXT NOT NULL DEFAULT '[]',
    who      TEXT NOT NULL DEFAULT '',
    why      TEXT NOT NULL DEFAULT '',
    -- stored, not generated: an index of what follows from `used` would be written at each use
    live     INTEGER NOT NULL CHECK (live = (state IN (0, 3) AND used + gone < amount)),
    due      INTEGER CHECK (due IS iif(state = 0 AND expiry > 0 AND used + gone < amount, expiry, NULL))
) STRICT;
CREATE INDEX lot_live ON lot (customer) WHERE live;
CREATE INDEX lot_due ON lot (due) WHERE due IS NOT NULL;

-- what budgets have counted, by window
CREATE TABLE spend (
    customer TEXT NOT NULL,
    subject  TEXT NOT NULL,               -- account, key:ID or project:NAME
    period   TEXT NOT NULL,               -- hour, day or month
    start    INTEGER NOT NULL,
    used     INTEGER NOT NULL CHECK (used >= 0),
    held     INTEGER NOT NULL CHECK (held >= 0),
    PRIMARY KEY (customer, subject, period, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (
    id       TEXT PRIMARY KEY,
    customer TEXT NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount >= 0),
    bound    TEXT NOT NULL,               -- [[lot, amount], ...] in the order of burn-down
    deadline INTEGER NOT NULL,
    key      TEXT NOT NULL,               -- the caller's idempotency key, empty for none
    body     TEXT NOT NULL,               -- digest of the request
    state    INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    draft    TEXT NOT NULL,               -- the event as far as it is known; empty once closed
    counted  TEXT NOT NULL DEFAULT ''     -- [[subject, period, start], ...]: the budgets that include it
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
CREATE INDEX posting_debt ON posting (seq) WHERE substr(debit, 1, 5) = 'debt:' OR substr(credit, 1, 5) = 'debt:';

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
    alarm       TEXT NOT NULL,
    project     TEXT NOT NULL DEFAULT '',
    waived      INTEGER NOT NULL DEFAULT 0 CHECK (waived >= 0),
    served_tier  TEXT NOT NULL DEFAULT '',
    charged_tier TEXT NOT NULL DEFAULT '',
    promise      TEXT NOT NULL DEFAULT '',     -- kept, broken, or empty
    queued       INTEGER NOT NULL DEFAULT 0,
    streamed     INTEGER NOT NULL DEFAULT 0,
    wasted       INTEGER NOT NULL DEFAULT 0 CHECK (wasted >= 0),
    attempts     TEXT NOT NULL DEFAULT ''     -- JSON of those that did not serve
) STRICT;

-- ids of the others are in order of time
CREATE INDEX event_imported ON event (at) WHERE id >= 'imp_';

-- who mended what, and why: one row a void, refund or adjustment
CREATE TABLE correction (
    id       TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,
    customer TEXT NOT NULL,
    corrects TEXT NOT NULL,               -- the event, grant or entry that it mends
    amount   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    who      TEXT NOT NULL,
    why      TEXT NOT NULL,
    recorded INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_of ON correction (corrects);

-- what the operator asked to be told of, once each
CREATE TABLE notice (
    seq       INTEGER PRIMARY KEY,
    customer  TEXT NOT NULL,
    kind      TEXT NOT NULL,              -- low_balance or top_up
    subject   TEXT NOT NULL,              -- the threshold, or the pending grant
    remaining INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    recorded  INTEGER NOT NULL
) STRICT;

CREATE TABLE customer (
    id      TEXT PRIMARY KEY,
    plan    TEXT NOT NULL,
    created INTEGER NOT NULL,
    own     TEXT NOT NULL DEFAULT ''      -- terms of its own beside the plan's, as JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    id       TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customer (id),
    digest   TEXT NOT NULL UNIQUE,        -- SHA-256 of the secret; the secret is never stored
    created  INTEGER NOT NULL,
    revoked  INTEGER NOT NULL DEFAULT 0,  -- 0: in use
    project  TEXT NOT NULL DEFAULT '',
    tier     TEXT NOT NULL DEFAULT ''       -- of requests that name none
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_of ON api_key (customer);

-- the operator's own machines: `ingest` posts usage of any customer, `metrics` reads the gateway's
CREATE TABLE operator_key (
    id      TEXT PRIMARY KEY,
    scope   TEXT NOT NULL,
    name    TEXT NOT NULL,
    digest  TEXT NOT NULL UNIQUE,         -- as of api_key
    created INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
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
CREATE TRIGGER operator_key_added AFTER INSERT ON operator_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER operator_key_changed AFTER UPDATE ON operator_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER posting_stays BEFORE UPDATE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE TRIGGER posting_remains BEFORE DELETE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER correction_stays BEFORE UPDATE ON correction BEGIN SELECT raise(ABORT, 'corrections are append-only'); END;
CREATE TRIGGER correction_remains BEFORE DELETE ON correction BEGIN SELECT raise(ABORT, 'corrections are append-only'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END;
