"""Open a connection: settings, the schema of an empty database, the upgrade of an older one, and what the server's errors mean."""

import logging
from importlib.resources import files
from typing import Any

from tokenworth.core.errors import InputError, LedgerError
from tokenworth.core.extras import need
from tokenworth.store.migrations import HEAD, newer

log = logging.getLogger(__name__)

SCHEMES = ("postgresql://", "postgres://")
LOCK_SECONDS = 10
"""How long a batch waits for another process's batch, and how long a process that stands still may hold one up."""
CONNECT_SECONDS = 10
SETTINGS = {
    "application_name": "tokenworth",
    # a commit returns once its log is on disk, whatever the server's default
    "synchronous_commit": "on",
    "lock_timeout": f"{LOCK_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{LOCK_SECONDS}s",
}
BY_KEYS = {
    # a plan that was made while a table was small must do when it is large
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
MENDS = {
    "25006": "this server only reads: name the primary",
    "53100": "make room on the server's disk; nothing of the batch was written",
    "53300": "raise max_connections, or stop what else is connected",
    "55P03": "another process holds an account for long; stop it or try again",
    "57P01": "the server is shutting down; try again when it is back",
    "57P03": "the server is starting up; try again",
    "28P01": "check user and password of the connection string",
    "3D000": "make the database: createdb NAME",
    "42501": "give the user the right to create and write these tables",
    "42P01": "this database's tables are incomplete: restore it from a backup",
}
UNKNOWN = "whether the batch was written is not known: ask again, an answer that is repeated counts once"
SCHEMA_LOCK = 75_010_727
"""Advisory lock behind which tables are made and upgraded."""
UPGRADE_SECONDS = 600
"""How long opening waits for another process's upgrade of large tables."""


def is_url(where: object) -> bool:
    """Whether a ledger's place is a connection string."""
    return str(where).startswith(SCHEMES)


def place(where: str) -> str:
    """Return a connection string without user and password, for messages."""
    scheme, _, rest = where.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def errors() -> tuple[type[Exception], ...]:
    """Return what the driver raises for whatever is wrong with the server, the connection or a statement."""
    asyncpg = need("asyncpg", "postgres")
    return (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


def lost(error: BaseException) -> bool:
    """Whether an error means that the connection is gone."""
    asyncpg = need("asyncpg", "postgres")
    gone = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.IdleInTransactionSessionTimeoutError)
    closed = isinstance(error, asyncpg.InterfaceError) and "closed" in str(error)
    # InternalClientError: the client's own state, when the end of the connection comes between two messages
    return isinstance(error, (OSError, EOFError, asyncpg.InternalClientError, *gone)) or closed


def failure(where: str, error: BaseException, *, unknown: bool = False) -> LedgerError:
    """Say what the server said, with the place and, where it is known, the mend."""
    if isinstance(error, LedgerError):
        return error
    mend = MENDS.get(getattr(error, "sqlstate", None) or "", "")
    if isinstance(error, OSError | TimeoutError):
        mend = "check that the server runs and can be reached"
    if unknown:
        mend = f"{mend}; {UNKNOWN}" if mend else UNKNOWN
    return LedgerError(f"{place(where)}: {str(error) or type(error).__name__}", mend=mend)


async def connect(where: str, *, create: bool = True, writing: bool = True) -> Any:
    """Open a connection to a ledger, and make its tables if there are none. `writing` is for batches, whose every statement goes by keys.

    LedgerError where it cannot be used, InputError where there is no ledger and none is to be made.
    """
    asyncpg = need("asyncpg", "postgres")
    try:
        db = await asyncpg.connect(where, timeout=CONNECT_SECONDS, server_settings=SETTINGS | (BY_KEYS if writing else {}))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise failure(where, error) from error
    try:
        await _prepare(db, where, create=create)
    except asyncpg.PostgresError as error:
        db.terminate()
        raise failure(where, error) from error
    except BaseException:
        db.terminate()
        raise
    return db


async def _prepare(db: Any, where: str, *, create: bool) -> None:
    found = await _found_version(db, where)
    if found == HEAD:
        return
    if not create:
        raise _older(where, found)
    async with db.transaction():
        await db.execute(f"SET LOCAL lock_timeout = '{UPGRADE_SECONDS}s'")
        # another process may be doing the same: the first one in makes or upgrades the tables, the others find them
        await db.execute(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")
        found = await _found_version(db, where)
        if not found:
            await db.execute((files(__package__) / "schema.sql").read_text(encoding="utf-8"))
        elif found < HEAD:
            await _upgrade(db, found)
            log.warning("%s is upgraded from schema %d to %d", place(where), found, HEAD)


async def _upgrade(db: Any, found: int) -> None:
    """Run the revisions since a version, inside the caller's transaction."""
    # brings Alembic, which takes longer than all of opening
    from tokenworth.store.migrations.script import upgrade_script  # noqa: PLC0415

    await db.execute(upgrade_script("postgresql", found))
    await db.execute("UPDATE ledger_schema SET version = $1", HEAD)


async def _found_version(db: Any, where: str) -> int:
    """Return the version of the tables, 0 where there are none; LedgerError where it is newer than HEAD."""
    if not await db.fetchval("SELECT to_regclass('ledger_schema') IS NOT NULL"):
        return 0
    found = int(await db.fetchval("SELECT max(version) FROM ledger_schema"))
    if found > HEAD:
        raise newer(found, place(where))
    return found


def _older(where: str, found: int) -> LedgerError | InputError:
    if not found:
        mend = "name it with --db; `tokenworth serve` or `customers add` make it"
        return InputError(f"there is no ledger at {place(where)}", mend=mend, code="no_ledger")
    return LedgerError(f"{place(where)} has schema {found}, this version reads {HEAD}", mend="`tokenworth serve` upgrades it")
