"""A power cut: SIGKILL keeps what the kernel has cached, this does not.

A recorder between SQLite and the disk notes every write and every sync. A cut at any place of the record leaves of each file what was synced; of
what was written after its last sync, each sector of 512 bytes may be there or not. That is the least that disks promise.
"""

import random
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw

from tests.support.events import START, done, draft, settled
from tokenworth.capture.commands import Command, Grant, Hold, OpenAccount, Settle, Source
from tokenworth.core.errors import TokenworthError
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import verify

SECTOR = 512
COMMITS = 150


@dataclass
class Record:
    """What was done to files, in order: (what, file's name, offset or length, bytes); `acked` is a place in it with what was told there."""

    steps: list[tuple[str, str, int, bytes]] = field(default_factory=list)
    acked: list[tuple[int, Any]] = field(default_factory=list)

    def told(self, what: Any) -> None:
        """Note what a caller was told now."""
        self.acked.append((len(self.steps), what))


class Recorder(apsw.VFS):
    """The usual files, with a note of what is done to them."""

    def __init__(self, record: Record) -> None:
        self.record = record
        super().__init__("recorder", "")

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802 - SQLite names it
        return _File(self.record, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite names it
        self.record.steps.append(("delete", Path(filename).name, 0, b""))
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, record: Record, name: Any, flags: list[int]) -> None:
        self._steps = record.steps
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary").name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite names it
        self._steps.append(("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite names it
        self._steps.append(("truncate", self._name, newsize, b""))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite names it
        super().xSync(flags)
        self._steps.append(("sync", self._name, 0, b""))


@contextmanager
def recording(record: Record) -> Any:
    """Let the ledger's own code open its file for writing through the recorder."""
    keep, usual = Recorder(record), sqlite3.connect

    def connect(path: Any, **more: Any) -> Any:
        return usual(path, **more) if "uri" in more else apsw.Connection(str(path), vfs="recorder")

    with patch("sqlite3.connect", connect):
        yield keep
    keep.unregister()


def cut(record: Record, at: int, folder: Path, chance: random.Random) -> None:
    """Write to a folder what may be on the disk after a cut at a place of the record."""
    files: dict[str, bytearray] = {}
    waiting: dict[str, list[tuple[str, int, bytes]]] = defaultdict(list)
    for what, name, number, data in record.steps[:at]:
        if what == "delete":
            files.pop(name, None)
            waiting.pop(name, None)
            continue
        content = files.setdefault(name, bytearray())
        if what != "sync":
            waiting[name].append((what, number, data))
            continue
        for step in waiting.pop(name, []):
            _apply(content, *step, kept=lambda: True)
    keep = chance.choice([0.0, 0.5, 0.9, 1.0])
    for name, steps in waiting.items():
        for step in steps:
            _apply(files[name], *step, kept=lambda: chance.random() < keep)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _apply(content: bytearray, what: str, number: int, data: bytes, *, kept: Callable[[], bool]) -> None:
    if what == "truncate":
        if kept():
            del content[number:]
            content.extend(bytes(number - len(content)))
        return
    start, end = number, number + len(data)
    while start < end:
        stop = min((start // SECTOR + 1) * SECTOR, end)
        if kept():
            content.extend(bytes(max(stop - len(content), 0)))
            content[start:stop] = data[start - number : stop - number]
        start = stop


def lives(folder: Path, pragma: str = "") -> Record:
    """Record a ledger's life of COMMITS acknowledged batches, with many checkpoints; `pragma` may spoil it."""
    record = Record()
    with recording(record):
        ledger = SqliteLedger(folder / "l.db", clock=lambda: START)
        ledger._db.execute("PRAGMA wal_autocheckpoint = 25")
        ledger._db.execute(pragma)
        done(ledger.submit_now([OpenAccount("ada", "credits", "USD", START), Grant("g", "ada", 10**9, Source.PAID, 10**6, START)]))
        for number in range(COMMITS):
            event, before = draft(number + 1), draft(number)
            batch: list[Command] = [Hold(event, 50, START + 60)]
            batch += [Settle(settled(before, 33))] if number else []
            done(ledger.submit_now(batch))
            record.told((event.id, before.id if number else ""))
        at = len(record.steps)
        ledger.close()
    del record.steps[at:]  # a tidy end is not what is tried
    return record


def after_cut(record: Record, at: int, folder: Path, chance: random.Random) -> list[str]:
    """Return what is wrong after a cut: of what was told before, or with the ledger itself."""
    cut(record, at, folder, chance)
    path = folder / "l.db"
    told = [what for place, what in record.acked if place <= at]
    try:
        SqliteLedger(path, clock=lambda: START).close()
        problems = list(verify(path).problems)
        with Reader(path) as reader:
            events = {event.id: event.charge for event in reader.read()}
            holds = {hold.id for hold in reader.open_holds()} | events.keys()
    except TokenworthError as error:
        return [f"cut {at}: {error}"] if told else []
    problems += [f"hold {held} is gone" for held, _ in told if held not in holds]
    problems += [f"the charge of {charged} is gone" for _, charged in told if charged and events.get(charged) != 33]
    return [f"cut {at}: {problem}" for problem in problems]


def cuts(times: int, *, seed: int, pragma: str = "", tick: Callable[[], None] = lambda: None) -> list[str]:
    """Cut a recorded life at `times` random places; return what is wrong."""
    chance, found = random.Random(seed), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        record = lives(Path(folder), pragma)
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            found += after_cut(record, chance.randrange(len(record.steps) + 1), Path(folder), chance)
        tick()
    return found
