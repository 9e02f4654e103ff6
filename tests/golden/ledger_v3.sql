-- A ledger of schema 3, as the ledger wrote it; see README.md.
PRAGMA user_version = 3;
BEGIN TRANSACTION;
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
INSERT INTO "account" VALUES('ada','credits','USD',934,20,0,8,'',0,'',0,'');
INSERT INTO "account" VALUES('bob','credits','USD',467,30,0,4,'',0,'',0,'');
INSERT INTO "account" VALUES('cy','credits','USD',300,0,0,3,'',0,'',0,'');
INSERT INTO "account" VALUES('dan','credits','USD',30,30,30,7,'{"burn_down":["priority","expiry","source","oldest"],"beyond":"overdraft","overdraft":9223372036854775807,"credit_line":25,"zone":"UTC","budgets":[{"subject":"account","window":"day","limit":10000}],"low_balance":[],"top_up":null}',15,'',0,'');
INSERT INTO "account" VALUES('eve','credits','USD',0,0,0,12,'{"burn_down":["priority","expiry","source","oldest"],"beyond":"capped","overdraft":9223372036854775807,"credit_line":0,"zone":"UTC","budgets":[],"low_balance":[],"top_up":null}',0,'',0,'');
CREATE TABLE api_key (
    id       TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customer (id),
    digest   TEXT NOT NULL UNIQUE,        -- SHA-256 of the secret; the secret is never stored
    created  INTEGER NOT NULL,
    revoked  INTEGER NOT NULL DEFAULT 0,  -- 0: in use
    project  TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE TABLE book (
    seq     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL,                -- digest of its files; one book may be applied again after another
    files   TEXT NOT NULL,                -- {"name.toml": "text", ...}
    applied INTEGER NOT NULL
) STRICT;
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
INSERT INTO "correction" VALUES('back','refund','eve','01M3250V00000000000000000M',15,1790000000000005,'kim','slow',1790000000000000);
INSERT INTO "correction" VALUES('minus','adjustment','eve','',-6,1790000000000006,'kim','gave too much',1790000000000000);
INSERT INTO "correction" VALUES('plus','adjustment','dan','',40,1790000000000003,'kim','sorry',1790000000000000);
INSERT INTO "correction" VALUES('void:bad','void','eve','bad',60,1790000000000007,'kim','unpaid',1790000000000000);
CREATE TABLE customer (
    id      TEXT PRIMARY KEY,
    plan    TEXT NOT NULL,
    created INTEGER NOT NULL,
    own     TEXT NOT NULL DEFAULT ''      -- terms of its own beside the plan's, as JSON
) STRICT, WITHOUT ROWID;
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
    waived      INTEGER NOT NULL DEFAULT 0 CHECK (waived >= 0)
) STRICT;
INSERT INTO "event" VALUES(1,'01M3250V000000000000000000','ada','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',33,16,0,0,'','',0);
INSERT INTO "event" VALUES(2,'01M3250V000000000000000001','bob','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',33,16,0,0,'','',0);
INSERT INTO "event" VALUES(3,'01M3250V000000000000000002','ada','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',33,17,0,0,'','',0);
INSERT INTO "event" VALUES(4,'01M3250V000000000000000007','ada','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','failed',1790000000000001,'{}',0,0,0,0,'supplier_503','',0);
INSERT INTO "event" VALUES(5,'01M3250V00000000000000000A','dan','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',60,0,7,0,'','',0);
INSERT INTO "event" VALUES(6,'01M3250V00000000000000000C','dan','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',70,0,0,0,'','',0);
INSERT INTO "event" VALUES(7,'01M3250V00000000000000000M','eve','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',40,20,0,0,'','',10);
INSERT INTO "event" VALUES(8,'01M3250V00000000000000000N','eve','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',41,20,0,0,'','',0);
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
INSERT INTO "hold" VALUES('01M3250V000000000000000000','ada',50,'[["start-ada",50]]',1790345600000000,'','',1,'','');
INSERT INTO "hold" VALUES('01M3250V000000000000000001','bob',50,'[["start-bob",50]]',1790345600000000,'','',1,'','');
INSERT INTO "hold" VALUES('01M3250V000000000000000002','ada',50,'[["start-ada",50]]',1790345600000000,'','',1,'','');
INSERT INTO "hold" VALUES('01M3250V000000000000000007','ada',50,'[["start-ada",50]]',1790345600000000,'','',2,'','');
INSERT INTO "hold" VALUES('01M3250V000000000000000008','ada',20,'[["start-ada",20]]',1790345600000000,'','',0,'["01M3250V000000000000000008","ada","payg","key","chat","default","sim","m","chat",1790000000000000,"credits","USD","card","cost","book","open",0,"{}",0,0,"","",0,0,0]','');
INSERT INTO "hold" VALUES('01M3250V000000000000000009','bob',30,'[["start-bob",30]]',1790345600000000,'','',0,'["01M3250V000000000000000009","bob","payg","key","chat","default","sim","m","chat",1790000000000000,"credits","USD","card","cost","book","open",0,"{}",0,0,"","",0,0,0]','');
INSERT INTO "hold" VALUES('01M3250V00000000000000000A','dan',60,'[["gift",60]]',1790345600000000,'','',1,'','[["account","day",1789948800000000]]');
INSERT INTO "hold" VALUES('01M3250V00000000000000000B','dan',45,'[["gift",30],["",15]]',1790345600000000,'','',0,'["01M3250V00000000000000000B","dan","payg","key","chat","default","sim","m","chat",1790000000000000,"credits","USD","card","cost","book","open",0,"{}",0,0,"","",0,0,0]','[["account","day",1789948800000000]]');
INSERT INTO "hold" VALUES('01M3250V00000000000000000C','dan',10,'[["plus",10]]',1790345600000000,'','',1,'','[["account","day",1789948800000000]]');
INSERT INTO "hold" VALUES('01M3250V00000000000000000M','eve',40,'[["soon",40]]',1790345600000000,'','',1,'','');
INSERT INTO "hold" VALUES('01M3250V00000000000000000N','eve',45,'[["soon",39],["bad",6]]',1790345600000000,'','',1,'','');
CREATE TABLE key_version (total INTEGER NOT NULL) STRICT;
INSERT INTO "key_version" VALUES(0);
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
INSERT INTO "lot" VALUES(1,'start-ada','ada','paid',1000,500,1790000000000000,66,20,0,0,0,0,0,'[]','[]','','',1,NULL);
INSERT INTO "lot" VALUES(2,'start-bob','bob','paid',500,250,1790000000000000,33,30,0,0,0,0,0,'[]','[]','','',1,NULL);
INSERT INTO "lot" VALUES(3,'start-cy','cy','paid',300,150,1790000000000000,0,0,0,0,0,0,0,'[]','[]','','',1,NULL);
INSERT INTO "lot" VALUES(4,'brief','cy','paid',30,15,1790000000000000,0,0,30,0,0,0,1790003600000000,'[]','[]','','',0,NULL);
INSERT INTO "lot" VALUES(5,'gift','dan','promotional',90,0,1790000000000000,60,30,0,0,0,0,0,'[]','[]','','',1,NULL);
INSERT INTO "lot" VALUES(6,'plus','dan','goodwill',40,0,1790000000000003,40,0,0,0,0,0,0,'[]','[]','','',0,NULL);
INSERT INTO "lot" VALUES(7,'soon','eve','paid',70,35,1790000000000000,70,0,0,0,0,0,1790259200000000,'[]','[]','','',0,NULL);
INSERT INTO "lot" VALUES(8,'bad','eve','included',60,30,1790000000000000,2,0,58,3,0,0,0,'[]','[]','','',0,NULL);
INSERT INTO "lot" VALUES(9,'late','eve','paid',5,5,1790000000000000,0,0,0,2,0,0,0,'[]','[]','','',0,NULL);
INSERT INTO "lot" VALUES(10,'wait','eve','paid',8,8,1790000000000000,0,0,0,1,0,0,0,'[]','[]','','',0,NULL);
CREATE TABLE notice (
    seq       INTEGER PRIMARY KEY,
    customer  TEXT NOT NULL,
    kind      TEXT NOT NULL,              -- low_balance or top_up
    subject   TEXT NOT NULL,              -- the threshold, or the pending grant
    remaining INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    recorded  INTEGER NOT NULL
) STRICT;
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
INSERT INTO "posting" VALUES(1,'grant:start-ada',0,'grant','credits','issued:paid','wallet:ada',1000,'start-ada',0,1000,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(2,'grant:start-ada',1,'grant','USD','payments','deferred',500,'start-ada',NULL,NULL,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(3,'grant:start-bob',0,'grant','credits','issued:paid','wallet:bob',500,'start-bob',0,500,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(4,'grant:start-bob',1,'grant','USD','payments','deferred',250,'start-bob',NULL,NULL,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(5,'grant:start-cy',0,'grant','credits','issued:paid','wallet:cy',300,'start-cy',0,300,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(6,'grant:start-cy',1,'grant','USD','payments','deferred',150,'start-cy',NULL,NULL,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(7,'01M3250V000000000000000000',0,'use','credits','wallet:ada','used',33,'start-ada',1000,967,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(8,'01M3250V000000000000000000',1,'use','USD','deferred','revenue',16,'start-ada',NULL,NULL,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(9,'01M3250V000000000000000001',0,'use','credits','wallet:bob','used',33,'start-bob',500,467,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(10,'01M3250V000000000000000001',1,'use','USD','deferred','revenue',16,'start-bob',NULL,NULL,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(11,'01M3250V000000000000000002',0,'use','credits','wallet:ada','used',33,'start-ada',967,934,5,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(12,'01M3250V000000000000000002',1,'use','USD','deferred','revenue',17,'start-ada',NULL,NULL,5,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(13,'grant:brief',0,'grant','credits','issued:paid','wallet:cy',30,'brief',300,330,2,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(14,'grant:brief',1,'grant','USD','payments','deferred',15,'brief',NULL,NULL,2,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(15,'grant:gift',0,'grant','credits','issued:promotional','wallet:dan',90,'gift',0,90,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(16,'01M3250V00000000000000000A',0,'use','credits','wallet:dan','used',60,'gift',90,30,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(17,'01M3250V00000000000000000A',1,'promotion','USD','promotional','cost',7,'',NULL,NULL,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(18,'adjustment:plus',0,'grant','credits','issued:goodwill','wallet:dan',40,'plus',30,70,5,1790000000000003,1790000000000000);
INSERT INTO "posting" VALUES(19,'01M3250V00000000000000000C',0,'use','credits','wallet:dan','used',10,'plus',70,60,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(20,'01M3250V00000000000000000C',1,'use','credits','wallet:dan','used',30,'plus',60,30,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(21,'01M3250V00000000000000000C',2,'owe','credits','debt:dan','used',30,'',NULL,NULL,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(22,'grant:soon',0,'grant','credits','issued:paid','wallet:eve',70,'soon',0,70,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(23,'grant:soon',1,'grant','USD','payments','deferred',35,'soon',NULL,NULL,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(24,'grant:bad',0,'grant','credits','issued:included','wallet:eve',60,'bad',70,130,2,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(25,'grant:bad',1,'grant','USD','payments','deferred',30,'bad',NULL,NULL,2,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(26,'01M3250V00000000000000000M',0,'use','credits','wallet:eve','used',40,'soon',130,90,5,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(27,'01M3250V00000000000000000M',1,'use','USD','deferred','revenue',20,'soon',NULL,NULL,5,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(28,'01M3250V00000000000000000M',2,'waive','credits','waived','used',10,'',NULL,NULL,5,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(29,'refund:back',0,'refund','credits','used','wallet:eve',15,'soon',90,105,7,1790000000000005,1790000000000000);
INSERT INTO "posting" VALUES(30,'refund:back',1,'refund','USD','revenue','deferred',8,'soon',NULL,NULL,7,1790000000000005,1790000000000000);
INSERT INTO "posting" VALUES(31,'adjustment:minus',0,'adjust','credits','wallet:eve','adjusted',6,'soon',105,99,8,1790000000000006,1790000000000000);
INSERT INTO "posting" VALUES(32,'adjustment:minus',1,'adjust','USD','deferred','revenue',4,'soon',NULL,NULL,8,1790000000000006,1790000000000000);
INSERT INTO "posting" VALUES(33,'void:bad',0,'void','credits','wallet:eve','issued:included',54,'bad',99,45,10,1790000000000007,1790000000000000);
INSERT INTO "posting" VALUES(34,'void:bad',1,'void','USD','deferred','payments',27,'bad',NULL,NULL,10,1790000000000007,1790000000000000);
INSERT INTO "posting" VALUES(35,'01M3250V00000000000000000N',0,'use','credits','wallet:eve','used',39,'soon',45,6,11,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(36,'01M3250V00000000000000000N',1,'use','USD','deferred','revenue',19,'soon',NULL,NULL,11,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(37,'01M3250V00000000000000000N',2,'use','credits','wallet:eve','used',2,'bad',6,4,11,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(38,'01M3250V00000000000000000N',3,'use','USD','deferred','revenue',1,'bad',NULL,NULL,11,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(39,'01M3250V00000000000000000N',4,'void','credits','wallet:eve','issued:included',4,'bad',4,0,11,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(40,'01M3250V00000000000000000N',5,'void','USD','deferred','payments',2,'bad',NULL,NULL,11,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(41,'expiry:cy:3',0,'expire','credits','wallet:cy','expired',30,'brief',330,300,3,1790003600000000,1790000000000000);
INSERT INTO "posting" VALUES(42,'expiry:cy:3',1,'expire','USD','deferred','breakage',15,'brief',NULL,NULL,3,1790003600000000,1790000000000000);
CREATE TABLE spend (
    customer TEXT NOT NULL,
    subject  TEXT NOT NULL,               -- account, key:ID or project:NAME
    period   TEXT NOT NULL,               -- hour, day or month
    start    INTEGER NOT NULL,
    used     INTEGER NOT NULL CHECK (used >= 0),
    held     INTEGER NOT NULL CHECK (held >= 0),
    PRIMARY KEY (customer, subject, period, start)
) STRICT, WITHOUT ROWID;
INSERT INTO "spend" VALUES('dan','account','day',1789948800000000,130,45);
CREATE INDEX account_debt ON account (customer) WHERE debt > 0;
CREATE INDEX lot_live ON lot (customer) WHERE live;
CREATE INDEX lot_due ON lot (due) WHERE due IS NOT NULL;
CREATE UNIQUE INDEX hold_key ON hold (customer, key) WHERE key <> '' AND state <> 2;
CREATE INDEX hold_deadline ON hold (deadline) WHERE state = 0;
CREATE INDEX posting_debt ON posting (seq) WHERE substr(debit, 1, 5) = 'debt:' OR substr(credit, 1, 5) = 'debt:';
CREATE INDEX correction_of ON correction (corrects);
CREATE TRIGGER key_added AFTER INSERT ON api_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER key_changed AFTER UPDATE ON api_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER customer_changed AFTER UPDATE ON customer BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER posting_stays BEFORE UPDATE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE TRIGGER posting_remains BEFORE DELETE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER correction_stays BEFORE UPDATE ON correction BEGIN SELECT raise(ABORT, 'corrections are append-only'); END;
CREATE TRIGGER correction_remains BEFORE DELETE ON correction BEGIN SELECT raise(ABORT, 'corrections are append-only'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END;
COMMIT;
