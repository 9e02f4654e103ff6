-- A ledger of schema 1, as the first version of the ledger wrote it; see README.md.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE account (
    customer TEXT PRIMARY KEY,
    unit     TEXT NOT NULL,
    currency TEXT NOT NULL,
    balance  INTEGER NOT NULL CHECK (balance >= 0),
    held     INTEGER NOT NULL CHECK (held BETWEEN 0 AND balance),
    debt     INTEGER NOT NULL CHECK (debt >= 0),
    version  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "account" VALUES('ada','credits','USD',5249,400,0,8);
INSERT INTO "account" VALUES('bob','credits','USD',130,0,0,8);
INSERT INTO "account" VALUES('cleo','credits','USD',0,0,40,9);
INSERT INTO "account" VALUES('dan','credits','USD',7,7,0,2);
CREATE TABLE api_key (
    id       TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customer (id),
    digest   TEXT NOT NULL UNIQUE,        -- SHA-256 of the secret; the secret is never stored
    created  INTEGER NOT NULL,
    revoked  INTEGER NOT NULL DEFAULT 0   -- 0: in use
) STRICT, WITHOUT ROWID;
INSERT INTO "api_key" VALUES('key_301d6c52c658','ada','301d6c52c658edc6b4279b86c4bbf6f6fd2bd89242bc5314bf0115a861ce8b55',1790000000000000,1790000000000000);
CREATE TABLE book (
    seq     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL,                -- digest of its files; one book may be applied again after another
    files   TEXT NOT NULL,                -- {"name.toml": "text", ...}
    applied INTEGER NOT NULL
) STRICT;
INSERT INTO "book" VALUES(1,'adc2705471698eb2a45f33734acc58b985881566b14afaf3c8ae6a55d7e033cf','{"book.toml": "# made by a test"}',1790000000000000);
CREATE TABLE customer (
    id      TEXT PRIMARY KEY,
    plan    TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "customer" VALUES('ada','payg',1790000000000000);
INSERT INTO "customer" VALUES('bob','payg',1790000000000000);
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
INSERT INTO "event" VALUES(1,'01M3250V000000000000000001','ada','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"input":12,"output":3}',150,0,70,9,'');
INSERT INTO "event" VALUES(2,'01M3250V000000000000000002','ada','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',901,250,10000000007,0,'estimated');
INSERT INTO "event" VALUES(3,'01M3250V000000000000000004','bob','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',170,50,80,0,'');
INSERT INTO "event" VALUES(4,'01M3250V000000000000000006','bob','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',300,47,0,0,'');
INSERT INTO "event" VALUES(5,'01M3250V000000000000000005','bob','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','failed',1790000000000001,'{}',0,0,0,0,'supplier_503');
INSERT INTO "event" VALUES(6,'01M3250V000000000000000007','cleo','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','failed',1790000000000001,'{}',0,0,0,0,'supplier_503');
INSERT INTO "event" VALUES(7,'01M3250V000000000000000008','cleo','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','lost',1790000120000000,'{}',0,0,0,0,'hold expired before it was settled');
INSERT INTO "event" VALUES(8,'01M3250V000000000000000009','cleo','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',0,0,0,0,'');
INSERT INTO "event" VALUES(9,'01M3250V00000000000000000A','cleo','payg','key','chat','default','sim','m','chat',1790000000000000,'credits','USD','card','cost','book','ok',1790000000000001,'{"output":1}',1040,0,3,0,'');
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
INSERT INTO "hold" VALUES('01M3250V000000000000000001','ada',200,'[["gift",200]]',1790000060000000,'first','a',1,'');
INSERT INTO "hold" VALUES('01M3250V000000000000000002','ada',900,'[["gift",150],["invoice-1",750]]',1790000060000000,'','',1,'');
INSERT INTO "hold" VALUES('01M3250V000000000000000003','ada',400,'[["invoice-1",249],["invoice-2",151]]',1790003600000000,'third','c',0,'["01M3250V000000000000000003","ada","payg","key","chat","default","sim","m","chat",1790000000000000,"credits","USD","card","cost","book","open",0,"{}",0,0,0,0,""]');
INSERT INTO "hold" VALUES('01M3250V000000000000000004','bob',100,'[["bob-1",100]]',1790000060000000,'','',1,'');
INSERT INTO "hold" VALUES('01M3250V000000000000000005','bob',200,'[["bob-2",200]]',1790003600000000,'','',2,'');
INSERT INTO "hold" VALUES('01M3250V000000000000000006','bob',230,'[["bob-2",230]]',1790000060000000,'','',1,'');
INSERT INTO "hold" VALUES('01M3250V000000000000000007','cleo',100,'[["cleo-1",100]]',1790000060000000,'seventh','g',2,'');
INSERT INTO "hold" VALUES('01M3250V000000000000000008','cleo',100,'[["cleo-1",100]]',1790000060000000,'','',2,'');
INSERT INTO "hold" VALUES('01M3250V000000000000000009','cleo',10,'[["cleo-1",10]]',1790003600000000,'','',1,'');
INSERT INTO "hold" VALUES('01M3250V00000000000000000A','cleo',1000,'[["cleo-1",1000]]',1790003600000000,'','',1,'');
INSERT INTO "hold" VALUES('01M3250V00000000000000000B','dan',7,'[["dan-1",7]]',1790003600000000,'','',0,'["01M3250V00000000000000000B","dan","payg","key","chat","default","sim","m","chat",1790000000000000,"credits","USD","card","cost","book","open",0,"{}",0,0,0,0,""]');
CREATE TABLE key_version (total INTEGER NOT NULL) STRICT;
INSERT INTO "key_version" VALUES(2);
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
INSERT INTO "lot" VALUES(1,'gift','ada','promotional',300,0,1790000000000000,300,0);
INSERT INTO "lot" VALUES(2,'invoice-1','ada','paid',1000,333,1790000000000000,751,249);
INSERT INTO "lot" VALUES(3,'invoice-2','ada','paid',5000,2000,1790000000000000,0,151);
INSERT INTO "lot" VALUES(4,'bob-1','bob','paid',100,50,1790000000000000,100,0);
INSERT INTO "lot" VALUES(5,'bob-2','bob','paid',500,101,1790000000000000,370,0);
INSERT INTO "lot" VALUES(6,'cleo-1','cleo','goodwill',1000,0,1790000000000000,1000,0);
INSERT INTO "lot" VALUES(7,'dan-1','dan','included',7,0,1790000000000000,0,7);
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
INSERT INTO "posting" VALUES(1,'grant:gift',0,'grant','credits','issued:promotional','wallet:ada',300,'gift',0,300,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(2,'grant:invoice-1',0,'grant','credits','issued:paid','wallet:ada',1000,'invoice-1',300,1300,2,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(3,'grant:invoice-1',1,'grant','USD','payments','deferred',333,'invoice-1',NULL,NULL,2,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(4,'grant:invoice-2',0,'grant','credits','issued:paid','wallet:ada',5000,'invoice-2',1300,6300,3,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(5,'grant:invoice-2',1,'grant','USD','payments','deferred',2000,'invoice-2',NULL,NULL,3,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(6,'01M3250V000000000000000001',0,'settle','credits','wallet:ada','used',150,'gift',6300,6150,5,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(7,'01M3250V000000000000000002',0,'settle','credits','wallet:ada','used',150,'gift',6150,6000,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(8,'01M3250V000000000000000002',1,'settle','credits','wallet:ada','used',750,'invoice-1',6000,5250,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(9,'01M3250V000000000000000002',2,'settle','USD','deferred','revenue',250,'invoice-1',NULL,NULL,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(10,'01M3250V000000000000000002',3,'settle','credits','wallet:ada','used',1,'invoice-1',5250,5249,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(11,'grant:bob-1',0,'grant','credits','issued:paid','wallet:bob',100,'bob-1',0,100,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(12,'grant:bob-1',1,'grant','USD','payments','deferred',50,'bob-1',NULL,NULL,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(13,'01M3250V000000000000000004',0,'settle','credits','wallet:bob','used',100,'bob-1',100,0,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(14,'01M3250V000000000000000004',1,'settle','USD','deferred','revenue',50,'bob-1',NULL,NULL,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(15,'01M3250V000000000000000004',2,'settle','credits','debt:bob','used',70,'',NULL,NULL,3,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(16,'grant:bob-2',0,'grant','credits','issued:paid','wallet:bob',500,'bob-2',0,500,4,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(17,'grant:bob-2',1,'grant','USD','payments','deferred',101,'bob-2',NULL,NULL,4,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(18,'grant:bob-2',2,'grant','credits','wallet:bob','debt:bob',70,'bob-2',500,430,4,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(19,'grant:bob-2',3,'grant','USD','deferred','revenue',14,'bob-2',NULL,NULL,4,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(20,'01M3250V000000000000000006',0,'settle','credits','wallet:bob','used',230,'bob-2',430,200,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(21,'01M3250V000000000000000006',1,'settle','USD','deferred','revenue',47,'bob-2',NULL,NULL,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(22,'01M3250V000000000000000006',2,'settle','credits','debt:bob','used',70,'',NULL,NULL,7,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(23,'01M3250V000000000000000005',0,'release','credits','wallet:bob','debt:bob',70,'bob-2',200,130,8,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(24,'01M3250V000000000000000005',1,'release','USD','deferred','revenue',14,'bob-2',NULL,NULL,8,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(25,'grant:cleo-1',0,'grant','credits','issued:goodwill','wallet:cleo',1000,'cleo-1',0,1000,1,1790000000000000,1790000000000000);
INSERT INTO "posting" VALUES(26,'01M3250V00000000000000000A',0,'settle','credits','wallet:cleo','used',1000,'cleo-1',1000,0,9,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(27,'01M3250V00000000000000000A',1,'settle','credits','debt:cleo','used',40,'',NULL,NULL,9,1790000000000001,1790000000000000);
INSERT INTO "posting" VALUES(28,'grant:dan-1',0,'grant','credits','issued:included','wallet:dan',7,'dan-1',0,7,1,1790000000000000,1790000000000000);
CREATE INDEX lot_open ON lot (customer, seq) WHERE used < amount;
CREATE UNIQUE INDEX hold_key ON hold (customer, key) WHERE key <> '' AND state <> 2;
CREATE INDEX hold_deadline ON hold (deadline) WHERE state = 0;
CREATE TRIGGER key_added AFTER INSERT ON api_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER key_changed AFTER UPDATE ON api_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER customer_changed AFTER UPDATE ON customer BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER posting_stays BEFORE UPDATE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE TRIGGER posting_remains BEFORE DELETE ON posting BEGIN SELECT raise(ABORT, 'postings are append-only'); END;
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END;
COMMIT;
