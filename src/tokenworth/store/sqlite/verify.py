"""The proof, on a file. It reads one snapshot, so a gateway may go on serving."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tokenworth.store.ledger.codec import Row
from tokenworth.store.ledger.proof import prove as proof
from tokenworth.store.ledger.proof import queries
from tokenworth.store.ledger.proof.report import Findings, Report
from tokenworth.store.sqlite.file import guarded
from tokenworth.store.sqlite.reader import Reader

CACHE_KIB = 65_536
"""Pages and sorted rows that a connection keeps in memory; what passes it goes to temporary files."""
FILE = "the file"
PHASES = (FILE, *proof.PHASES)
ATTEMPTS = 20
"""At two connections on one snapshot, beside writers who commit all the time."""
STATE = "SELECT count(*), sum(version) FROM account"
"""Each commit that changes what the proof compares raises a version, or adds an account."""


def verify(path: Path, *, deep: bool = False, tell: Callable[[str], None] = lambda _: None) -> Report:
    """Derive everything again and compare; a report without problems is the proof. `tell` hears each of PHASES as it begins.

    The file's pages and rows come first; `deep` compares each index with its table too, which the proof does not need for what it reads from
    tables, but a writer does. LedgerError where the file cannot be read.
    """
    findings = Findings()
    with guarded(path), _ahead(path) as ahead:
        tell(FILE)
        for (line,) in ahead.reader.db.execute("PRAGMA integrity_check" if deep else "PRAGMA quick_check"):
            if line != "ok":
                findings.say(f"the file is damaged: {line}")
        if findings.problems:
            return Report(findings.problems)
        return proof.prove(ahead.ask, findings, tell)


class Ahead:
    """Answers the proof's queries. Those with short answers are run on a thread and a connection of their own, the last one first.

    What the thread has not begun when it is asked for is run at once, so that both are at work until they meet.
    """

    def __init__(self, reader: Reader, other: Reader | None) -> None:
        """Begin, on two connections to one snapshot; without the second, each query waits until it is asked for."""
        self.reader = reader
        self._other = other
        self._thread = ThreadPoolExecutor(1, "ledger-proof")
        self._begun: dict[str, Future[list[Row]]] = {}
        if other is not None:
            self._begun = {query: self._thread.submit(_all, other.db, query) for query in reversed(queries.SHORT)}

    def ask(self, query: str) -> Iterable[Row]:
        """Return the rows of a query."""
        begun = self._begun.get(query)
        return self.reader.query(query) if begun is None or begun.cancel() else begun.result()

    def close(self) -> None:
        """Stop what nobody asked for."""
        for begun in self._begun.values():
            begun.cancel()
        if self._other is not None:
            self._other.db.interrupt()
        self._thread.shutdown()


@contextmanager
def _ahead(path: Path) -> Iterator[Ahead]:
    with ExitStack() as stack:
        readers = [stack.enter_context(Reader(path)) for _ in range(2)]
        for reader in readers:
            # PRAGMAs of this connection, and of no other
            reader.db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            reader.db.execute("PRAGMA threads = 2")
        ahead = Ahead(readers[0], readers[1] if _agree(*readers) else None)
        stack.callback(ahead.close)
        yield ahead


def _agree(*readers: Reader) -> bool:
    """Bring connections to one snapshot; False where writers are too fast for that."""
    for _ in range(ATTEMPTS):
        for reader in readers:
            reader.db.execute("ROLLBACK")
        for reader in readers:
            reader.db.execute("BEGIN")
            # a snapshot is that of the first page read
            reader.db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
        if len({reader.db.execute(STATE).fetchone() for reader in readers}) == 1:
            return True
    return False


def _all(db: sqlite3.Connection, query: str) -> list[Row]:
    return db.execute(query).fetchall()
