"""The proof, on a file. It reads one snapshot, so a gateway may go on serving."""

from collections.abc import Callable
from pathlib import Path

from tokenworth.store.ledger.proof import prove as proof
from tokenworth.store.ledger.proof.report import Findings, Report
from tokenworth.store.sqlite.file import guarded
from tokenworth.store.sqlite.reader import Reader

CACHE_KIB = 65_536
"""Pages and sorted rows kept in memory; what passes it goes to temporary files."""
FILE = "the file"
PHASES = (FILE, *proof.PHASES)


def verify(path: Path, *, deep: bool = False, tell: Callable[[str], None] = lambda _: None) -> Report:
    """Derive everything again and compare; a report without problems is the proof. `tell` hears each of PHASES as it begins.

    The file's pages and rows come first; `deep` compares each index with its table too, which the proof does not need for what it reads from
    tables, but a writer does. LedgerError where the file cannot be read.
    """
    findings = Findings()
    with Reader(path) as reader, guarded(path):
        # PRAGMAs of this connection, and of no other
        reader.db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        reader.db.execute("PRAGMA threads = 2")
        tell(FILE)
        for (line,) in reader.db.execute("PRAGMA integrity_check" if deep else "PRAGMA quick_check"):
            if line != "ok":
                findings.say(f"the file is damaged: {line}")
        if findings.problems:
            return Report(findings.problems)
        return proof.prove(reader.query, findings, tell)
