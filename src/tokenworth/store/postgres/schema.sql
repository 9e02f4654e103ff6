-- The ledger. Amounts are nano-units, instants UTC microseconds. posting, event and correction are append-only.
-- Keys compare by bytes ("C"). The same tables and columns as on SQLite; what is generated keeps rows out of indexes whose columns change with every entry, so that an
-- update stays on its page.

CREATE TABLE account (
    customer text COLLATE "C" PRIMARY KEY,
    unit     text NOT NULL,
    currency text NOT NULL,
    policy   text NOT NULL DEFAULT '',    -- JSON; empty for the standard policy
    balance  bigint NOT NULL CHECK (balance >= 0),
    held     bigint NOT NULL CHECK (held BETWEEN 0 AND balance),
    lent     bigint NOT NULL DEFAULT 0 CHECK (lent >= 0), -- what open holds take of the credit line
    debt     bigint NOT NULL CHECK (debt >= 0),
    version  bigint NOT NULL,
    passed   text NOT NULL DEFAULT '',    -- low-balance thresholds told of, as JSON
    top_ups  bigint NOT NULL DEFAULT 0,   -- how many were asked for
    pending  text NOT NULL DEFAULT ''     -- the one that is not confirmed yet
) WITH (fillfactor = 50);
CREATE INDEX account_debt ON account (customer) WHERE debt > 0;

CREATE TABLE lot (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text COLLATE "C" NOT NULL UNIQUE,
    customer text COLLATE "C" NOT NULL REFERENCES account (customer),
    source   text NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    paid     bigint NOT NULL CHECK (paid >= 0),
    at       bigint NOT NULL,
    priority bigint NOT NULL DEFAULT 0,
    effective bigint NOT NULL DEFAULT 0,
    expiry   bigint NOT NULL DEFAULT 0,   -- 0: never
    products text NOT NULL DEFAULT '[]',  -- JSON; empty for all
    tiers    text NOT NULL DEFAULT '[]',
    who      text NOT NULL DEFAULT '',
    why      text NOT NULL DEFAULT '',
    state    bigint NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2, 3)), -- active, pending, cancelled, void
    used     bigint NOT NULL CHECK (used BETWEEN 0 AND amount),
    held     bigint NOT NULL CHECK (held BETWEEN 0 AND amount - used),
    gone     bigint NOT NULL DEFAULT 0 CHECK (gone >= 0 AND used + held + gone <= amount), -- expired or taken back
    live     boolean NOT NULL GENERATED ALWAYS AS (state IN (0, 3) AND used + gone < amount) STORED,
    ending   boolean NOT NULL GENERATED ALWAYS AS (state = 0 AND expiry > 0 AND used + held + gone < amount) STORED
) WITH (fillfactor = 50);
CREATE INDEX lot_live ON lot (customer) WHERE live;
CREATE INDEX lot_due ON lot (expiry) WHERE ending;

-- what budgets have counted, by window
CREATE TABLE spend (
    customer text COLLATE "C" NOT NULL,
    subject  text COLLATE "C" NOT NULL,               -- account, key:ID or project:NAME
    period   text COLLATE "C" NOT NULL,               -- hour, day or month
    start    bigint NOT NULL,
    used     bigint NOT NULL CHECK (used >= 0),
    held     bigint NOT NULL CHECK (held >= 0),
    PRIMARY KEY (customer, subject, period, start)
) WITH (fillfactor = 50);

CREATE TABLE hold (
    id       text COLLATE "C" PRIMARY KEY,
    customer text COLLATE "C" NOT NULL,
    amount   bigint NOT NULL CHECK (amount >= 0),
    bound    text NOT NULL,               -- [[lot, amount], ...] in the order of burn-down
    deadline bigint NOT NULL,
    key      text COLLATE "C" NOT NULL,               -- the caller's idempotency key, empty for none
    body     text NOT NULL,               -- digest of the request
    draft    text NOT NULL,               -- the event as far as it is known; empty once closed
    state    bigint NOT NULL CHECK (state IN (0, 1, 2)),
    counted  text NOT NULL DEFAULT ''     -- [[subject, period, start], ...]: the budgets that include it
);
CREATE UNIQUE INDEX hold_key ON hold (customer, key) WHERE key <> '' AND state <> 2;
CREATE INDEX hold_deadline ON hold (deadline) WHERE state = 0;

CREATE TABLE posting (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry    text COLLATE "C" NOT NULL,               -- the event or grant that caused it
    line     bigint NOT NULL,
    kind     text NOT NULL,
    unit     text NOT NULL,
    debit    text COLLATE "C" NOT NULL,
    credit   text COLLATE "C" NOT NULL CHECK (credit <> debit),
    amount   bigint NOT NULL CHECK (amount > 0),
    lot      text COLLATE "C" NOT NULL,
    before   bigint,                      -- the wallet's balance, where a wallet is touched
    after    bigint,
    version  bigint NOT NULL,             -- of the customer's account after the entry
    at       bigint NOT NULL,             -- when it happened
    recorded bigint NOT NULL,             -- when it was written
    UNIQUE (entry, line)
);
CREATE INDEX posting_debt ON posting (debit, credit) WHERE debit LIKE 'debt:%' OR credit LIKE 'debt:%';

CREATE TABLE event (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text COLLATE "C" NOT NULL UNIQUE,
    customer    text COLLATE "C" NOT NULL,
    plan        text NOT NULL,
    api_key     text NOT NULL,
    product     text NOT NULL,
    tier        text NOT NULL,
    supplier    text NOT NULL,
    model       text NOT NULL,
    api         text NOT NULL,
    at          bigint NOT NULL,
    unit        text NOT NULL,
    currency    text NOT NULL,
    card        text NOT NULL,
    cost_card   text NOT NULL,
    book        text NOT NULL,
    status      text NOT NULL,
    ended       bigint NOT NULL,
    counts      text NOT NULL,            -- {"input": 12, ...}
    charge      bigint NOT NULL CHECK (charge >= 0),
    revenue     bigint NOT NULL CHECK (revenue >= 0),
    cost        bigint NOT NULL CHECK (cost >= 0),
    first_token bigint NOT NULL,
    alarm       text NOT NULL,
    project     text NOT NULL DEFAULT '',
    waived      bigint NOT NULL DEFAULT 0 CHECK (waived >= 0),
    served_tier  text NOT NULL DEFAULT '',
    charged_tier text NOT NULL DEFAULT '',
    promise      text NOT NULL DEFAULT '',     -- kept, broken, or empty
    queued       bigint NOT NULL DEFAULT 0,
    streamed     bigint NOT NULL DEFAULT 0,
    wasted       bigint NOT NULL DEFAULT 0 CHECK (wasted >= 0),
    attempts     text NOT NULL DEFAULT ''     -- JSON of those that did not serve
);

-- ids of the others are in order of time
CREATE INDEX event_imported ON event (at) WHERE id >= 'imp_';

-- who mended what, and why: one row a void, refund or adjustment
CREATE TABLE correction (
    id       text COLLATE "C" PRIMARY KEY,
    kind     text NOT NULL,
    customer text COLLATE "C" NOT NULL,
    corrects text COLLATE "C" NOT NULL,               -- the event, grant or entry that it mends
    amount   bigint NOT NULL,
    at       bigint NOT NULL,
    who      text NOT NULL,
    why      text NOT NULL,
    recorded bigint NOT NULL
);
CREATE INDEX correction_of ON correction (corrects);

-- what the operator asked to be told of, once each
CREATE TABLE notice (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer  text COLLATE "C" NOT NULL,
    kind      text NOT NULL,              -- low_balance or top_up
    subject   text COLLATE "C" NOT NULL,              -- the threshold, or the pending grant
    remaining bigint NOT NULL,
    at        bigint NOT NULL,
    recorded  bigint NOT NULL
);

CREATE TABLE customer (
    id      text COLLATE "C" PRIMARY KEY,
    plan    text NOT NULL,
    created bigint NOT NULL,
    own     text NOT NULL DEFAULT ''      -- terms of its own beside the plan's, as JSON
);

CREATE TABLE api_key (
    id       text COLLATE "C" PRIMARY KEY,
    customer text COLLATE "C" NOT NULL REFERENCES customer (id),
    digest   text COLLATE "C" NOT NULL UNIQUE,        -- SHA-256 of the secret; the secret is never stored
    created  bigint NOT NULL,
    revoked  bigint NOT NULL DEFAULT 0,   -- 0: in use
    project  text NOT NULL DEFAULT '',
    tier     text NOT NULL DEFAULT ''     -- of requests that name none
);

CREATE INDEX api_key_of ON api_key (customer);

-- the operator's own machines: `ingest` posts usage of any customer, `metrics` reads the gateway's
CREATE TABLE operator_key (
    id      text COLLATE "C" PRIMARY KEY,
    scope   text NOT NULL,
    name    text NOT NULL,
    digest  text COLLATE "C" NOT NULL UNIQUE,         -- as of api_key
    created bigint NOT NULL,
    revoked bigint NOT NULL DEFAULT 0
);

CREATE TABLE book (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id      text COLLATE "C" NOT NULL,                -- digest of its files; one book may be applied again after another
    files   text NOT NULL,                -- {"name.toml": "text", ...}
    applied bigint NOT NULL
);

-- counts changes to customers and keys, so that a gateway knows when to look again
CREATE TABLE key_version (total bigint NOT NULL);
INSERT INTO key_version VALUES (0);
CREATE FUNCTION count_key_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE key_version SET total = total + 1; RETURN NULL; END $$;
CREATE TRIGGER key_changed AFTER INSERT OR UPDATE ON api_key FOR EACH STATEMENT EXECUTE FUNCTION count_key_change();
CREATE TRIGGER customer_changed AFTER UPDATE ON customer FOR EACH STATEMENT EXECUTE FUNCTION count_key_change();

CREATE TRIGGER operator_key_changed AFTER INSERT OR UPDATE ON operator_key FOR EACH STATEMENT EXECUTE FUNCTION count_key_change();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%s are append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER posting_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER correction_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON correction FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- the version of these tables
CREATE TABLE ledger_schema (version bigint NOT NULL);
INSERT INTO ledger_schema VALUES (5);
