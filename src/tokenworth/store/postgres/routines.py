"""What a connection asks of the server in one round trip, as functions of the session: they belong to this version of the code, not to the database.

tokenworth_read   the facts that a batch needs, of one snapshot, as (kind, JSON array)
tokenworth_lock   the same, after it locked every account concerned, in order of their names, until the transaction ends
tokenworth_try    the same, but of accounts that another transaction keeps locked it waits for none: it names them as busy
tokenworth_write  locks accounts in order, compares their versions with those that the batch was decided from, and writes all of its rows or, where
                  a version differs, nothing: then it returns whose
"""

from tokenworth.capture.limits import KEPT
from tokenworth.store.ledger.codec import (
    ACCOUNT_COLUMNS,
    CORRECTION_COLUMNS,
    EVENT_COLUMNS,
    HOLD_COLUMNS,
    LOT_COLUMNS,
    MOVING_COLUMNS,
    NOTICE_COLUMNS,
    POSTING_COLUMNS,
    SPEND_COLUMNS,
)

NUMBERS = frozenset(
    {
        *("balance", "held", "lent", "debt", "version", "top_ups", "amount", "paid", "at", "priority", "effective", "expiry", "state", "used"),
        *("gone", "start", "deadline", "line", "before", "after", "recorded", "ended", "charge", "revenue", "cost", "first_token", "waived"),
        *("queued", "streamed", "wasted"),
        "remaining",
    }
)
"""Columns that are bigint; the others are text."""

WRITTEN = {
    "seen": ("customer", "version"),
    "account": (*MOVING_COLUMNS, "customer"),
    "lot": ("state", "used", "held", "gone", "id"),
    "closed": ("deadline", "state", "draft", "id"),
    "hold": HOLD_COLUMNS,
    "posting": POSTING_COLUMNS,
    "event": EVENT_COLUMNS,
}
"""Rows that a batch brings, by the parameter of `tokenworth_write`: arrays of types of the session, which cost less than an array a column."""

HOLDS_MOVED = "TW001"
"""SQLSTATE: a hold that was thought open is closed."""

NEEDS = """
    p_customers text[], p_versions bigint[], p_holds text[], p_owners text[], p_keys text[], p_lots text[], p_events text[], p_corrections text[],
    p_stretches json, p_late bigint
"""
NEEDED = "p_customers, p_versions, p_holds, p_owners, p_keys, p_lots, p_events, p_corrections, p_stretches, p_late"


def _type(name: str) -> str:
    return "bigint" if name in NUMBERS else "text"


def _array(columns: tuple[str, ...], table: str) -> str:
    return f"json_build_array({', '.join(f'{table}.{name}' for name in columns)})::text"


def _typed(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {_type(name)}" for name in columns)


def _insert(table: str) -> str:
    names = ", ".join(WRITTEN[table])
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM unnest(p_{table}) AS new;"


def _rare(key: str, columns: tuple[str, ...]) -> str:
    return f"json_to_recordset(p_rare->'{key}') AS new ({_typed(columns)})"


def _insert_rare(key: str, columns: tuple[str, ...], table: str) -> str:
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM {_rare(key, columns)}"


def _sets(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{name} = new.{name}" for name in columns)


TYPES = "; ".join(f"CREATE TYPE pg_temp.tokenworth_{kind} AS ({_typed(columns)})" for kind, columns in WRITTEN.items())

CURRENT = f"""(spend.held > 0 OR spend.start IN (
    SELECT s.start FROM spend AS s WHERE (s.customer, s.subject, s.period) = (spend.customer, spend.subject, spend.period)
    ORDER BY s.start DESC LIMIT {KEPT}
))"""
"""Counters of windows that budgets still look at."""

DUE = """
    SELECT lot.customer FROM lot WHERE lot.ending AND lot.expiry <= p_late
    UNION SELECT account.customer FROM account JOIN lot ON lot.customer = account.customer AND lot.live
    WHERE account.debt > 0 AND lot.state = 0 AND lot.effective <= p_late AND lot.products = '[]' AND lot.tiers = '[]'
        AND lot.used + lot.held + lot.gone < lot.amount
"""
"""Customers some of whose credits are over, or repay debt since their day came."""

READ = f"""
CREATE FUNCTION pg_temp.tokenworth_read({NEEDS}) RETURNS TABLE (r_kind text, r_row text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_late text[];
    v_due text[];
    v_keyed text[];
    v_holds text[] := p_holds;
    v_fresh text[];
    v_charged text[];
BEGIN
    IF p_late IS NOT NULL THEN
        SELECT coalesce(array_agg(id), '{{}}') INTO v_late FROM hold WHERE hold.state = 0 AND hold.deadline < p_late;
        SELECT coalesce(array_agg(customer), '{{}}') INTO v_due FROM ({DUE}) AS due;
        RETURN QUERY SELECT 'late', to_json(each)::text FROM unnest(v_late) AS each;
        RETURN QUERY SELECT 'due', to_json(each)::text FROM unnest(v_due) AS each;
        v_holds := v_holds || v_late;
    END IF;
    IF cardinality(p_keys) > 0 THEN
        SELECT coalesce(array_agg(hold.id), '{{}}') INTO v_keyed FROM unnest(p_owners, p_keys) AS asked (customer, key)
            JOIN hold ON hold.customer = asked.customer AND hold.key = asked.key AND hold.key <> '' AND hold.state <> 2;
        RETURN QUERY SELECT 'key', json_build_array(hold.customer, hold.key, hold.id)::text FROM hold WHERE hold.id = ANY (v_keyed);
        v_holds := v_holds || v_keyed;
    END IF;
    IF cardinality(v_holds) > 0 THEN
        RETURN QUERY SELECT 'hold', {_array(HOLD_COLUMNS, "hold")} FROM hold WHERE hold.id = ANY (v_holds);
        RETURN QUERY SELECT 'event', {_array(EVENT_COLUMNS, "event")} FROM hold JOIN event ON event.id = hold.id
            WHERE hold.id = ANY (v_holds) AND hold.state <> 0;
    END IF;
    IF cardinality(p_lots) > 0 THEN
        RETURN QUERY SELECT 'lot', {_array(LOT_COLUMNS, "lot")} FROM lot WHERE lot.id = ANY (p_lots);
    END IF;
    IF cardinality(p_corrections) > 0 THEN
        RETURN QUERY SELECT 'correction', {_array(CORRECTION_COLUMNS, "correction")} FROM correction WHERE correction.id = ANY (p_corrections);
    END IF;
    IF cardinality(p_events) > 0 THEN
        RETURN QUERY SELECT 'charged', json_build_array(event.id, event.customer)::text FROM event
            WHERE event.id = ANY (p_events) AND event.charge > 0;
        RETURN QUERY SELECT 'part', json_build_array(posting.entry, posting.lot, posting.amount)::text FROM posting
            WHERE posting.entry = ANY (p_events) AND posting.credit = 'used' AND posting.kind IN ('use', 'owe') ORDER BY posting.entry, posting.line;
        RETURN QUERY SELECT 'refunded', json_build_array(correction.corrects, sum(correction.amount))::text FROM correction
            WHERE correction.corrects = ANY (p_events) AND correction.kind = 'refund' GROUP BY correction.corrects;
        SELECT coalesce(array_agg(DISTINCT customer), '{{}}') INTO v_charged FROM event WHERE event.id = ANY (p_events) AND event.charge > 0;
        RETURN QUERY SELECT 'repaid', json_build_array(each, moved.lot, moved.amount)::text FROM unnest(v_charged) AS each, LATERAL (
            SELECT posting.seq, posting.lot, posting.amount FROM posting
            WHERE posting.debit = 'wallet:' || each AND posting.credit = 'debt:' || each
                AND (posting.debit LIKE 'debt:%' OR posting.credit LIKE 'debt:%')
            UNION ALL SELECT posting.seq, posting.lot, -posting.amount FROM posting
            WHERE posting.debit = 'debt:' || each AND posting.credit = 'wallet:' || each
                AND (posting.debit LIKE 'debt:%' OR posting.credit LIKE 'debt:%')
        ) AS moved ORDER BY moved.seq;
        RETURN QUERY SELECT 'paying', {_array(LOT_COLUMNS, "lot")} FROM lot WHERE lot.customer = ANY (v_charged);
    END IF;
    IF p_stretches IS NOT NULL THEN
        RETURN QUERY SELECT 'spend', {_array(SPEND_COLUMNS, "spend")} FROM json_array_elements(p_stretches) AS asked
            JOIN account ON account.customer = asked->>0 AND account.policy <> ''
            JOIN spend ON spend.customer = asked->>0 AND spend.subject = asked->>1 AND spend.period = asked->>2
                AND spend.start > (asked->>3)::bigint AND spend.start <= (asked->>4)::bigint;
    END IF;
    SELECT coalesce(array_agg(account.customer), '{{}}') INTO v_fresh FROM (
        SELECT unnest(p_customers)
        UNION SELECT hold.customer FROM hold WHERE hold.id = ANY (v_holds)
        UNION SELECT lot.customer FROM lot WHERE lot.id = ANY (p_lots)
        UNION SELECT unnest(v_charged)
        UNION SELECT unnest(v_due)
    ) AS concerned (customer) JOIN account ON account.customer = concerned.customer
        LEFT JOIN unnest(p_customers, p_versions) AS known (customer, version) ON known.customer = account.customer
    WHERE known.version IS DISTINCT FROM account.version;
    IF cardinality(v_fresh) > 0 THEN
        RETURN QUERY SELECT 'live', {_array(LOT_COLUMNS, "lot")} FROM lot WHERE lot.customer = ANY (v_fresh) AND lot.live;
        RETURN QUERY SELECT 'spend', {_array(SPEND_COLUMNS, "spend")} FROM spend WHERE spend.customer = ANY (v_fresh) AND {CURRENT};
        RETURN QUERY SELECT 'account', {_array(ACCOUNT_COLUMNS, "account")} FROM account WHERE account.customer = ANY (v_fresh);
    END IF;
END $$
"""

LOCK = f"""
CREATE FUNCTION pg_temp.tokenworth_lock({NEEDS}) RETURNS TABLE (r_kind text, r_row text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM account WHERE account.customer = ANY (ARRAY(
        SELECT unnest(p_customers)
        UNION SELECT hold.customer FROM hold WHERE hold.id = ANY (p_holds)
        UNION SELECT lot.customer FROM lot WHERE lot.id = ANY (p_lots)
        UNION SELECT event.customer FROM event WHERE event.id = ANY (p_events)
        UNION SELECT hold.customer FROM hold WHERE hold.state = 0 AND hold.deadline < p_late
        UNION {DUE}
    )) ORDER BY account.customer FOR NO KEY UPDATE;
    RETURN QUERY SELECT * FROM pg_temp.tokenworth_read({NEEDED});
END $$
"""

TRY = f"""
CREATE FUNCTION pg_temp.tokenworth_try({NEEDS}) RETURNS TABLE (r_kind text, r_row text) LANGUAGE plpgsql AS $$
DECLARE
    v_concerned text[] := ARRAY(SELECT unnest(p_customers) UNION SELECT hold.customer FROM hold WHERE hold.id = ANY (p_holds));
BEGIN
    RETURN QUERY WITH locked AS (SELECT account.customer FROM account WHERE account.customer = ANY (v_concerned) FOR NO KEY UPDATE SKIP LOCKED)
        SELECT 'busy', to_json(account.customer)::text FROM account
        WHERE account.customer = ANY (v_concerned) AND account.customer NOT IN (SELECT locked.customer FROM locked);
    RETURN QUERY SELECT * FROM pg_temp.tokenworth_read({NEEDED});
END $$
"""

WRITE = f"""
CREATE FUNCTION pg_temp.tokenworth_write(
    {", ".join(f"p_{kind} pg_temp.tokenworth_{kind}[]" for kind in WRITTEN)}, p_rare json
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_moved text[];
    v_closed bigint;
BEGIN
    SELECT array_agg(customer) FILTER (WHERE version <> base) INTO v_moved FROM (
        SELECT account.customer, account.version, seen.version AS base FROM unnest(p_seen) AS seen
            JOIN account ON account.customer = seen.customer ORDER BY account.customer FOR NO KEY UPDATE OF account
    ) AS locked;
    IF v_moved IS NOT NULL THEN
        RETURN v_moved;
    END IF;
    -- holds that close free their idempotency keys before new ones take them; a deadline never moves back. The state is not compared by `=`, lest a
    -- plan goes through hold_deadline, the index of all open holds
    UPDATE hold SET deadline = greatest(hold.deadline, new.deadline), state = new.state, draft = new.draft FROM unnest(p_closed) AS new
        WHERE hold.id = new.id AND hold.state < 1;
    GET DIAGNOSTICS v_closed = ROW_COUNT;
    IF v_closed <> cardinality(p_closed) THEN
        RAISE EXCEPTION 'a hold was closed by another process' USING ERRCODE = '{HOLDS_MOVED}';
    END IF;
    UPDATE account SET {_sets(MOVING_COLUMNS)} FROM unnest(p_account) AS new WHERE account.customer = new.customer;
    IF p_rare IS NOT NULL THEN
        {_insert_rare("accounts", ACCOUNT_COLUMNS, "account")};
        UPDATE account SET {_sets(ACCOUNT_COLUMNS[3:])} FROM {_rare("policies", ACCOUNT_COLUMNS)} WHERE account.customer = new.customer;
        {_insert_rare("lots", LOT_COLUMNS, "lot")};
        {_insert_rare("spends", SPEND_COLUMNS, "spend")}
            ON CONFLICT (customer, subject, period, start) DO UPDATE SET used = excluded.used, held = excluded.held;
        {_insert_rare("corrections", CORRECTION_COLUMNS, "correction")};
        {_insert_rare("notices", NOTICE_COLUMNS, "notice")};
    END IF;
    UPDATE lot SET {_sets(WRITTEN["lot"][:-1])} FROM unnest(p_lot) AS new WHERE lot.id = new.id;
    {_insert("hold")}
    {_insert("posting")}
    {_insert("event")}
    RETURN NULL;
END $$
"""


def _call(routine: str, values: int) -> str:
    return f"SELECT * FROM pg_temp.{routine}({', '.join(f'${n}' for n in range(1, values + 1))})"


ROUTINES = f"{TYPES}; {READ}; {LOCK}; {TRY}; {WRITE}"
"""What a connection begins with."""
CALL_READ = _call("tokenworth_read", 10)
CALL_LOCK = _call("tokenworth_lock", 10)
CALL_TRY = _call("tokenworth_try", 10)
CALL_WRITE = _call("tokenworth_write", len(WRITTEN) + 1)
