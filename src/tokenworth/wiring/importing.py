"""A file of usage into the ledger: first all of it is read, rated and compared with what is recorded, then it is recorded.

Nothing is recorded from a file with problems, unless the caller says that the rest of it counts.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice

from tokenworth.book.model import Book
from tokenworth.capture.commands import Record
from tokenworth.core.errors import FilesError, InputError, Problem
from tokenworth.core.ids import IMPORTED
from tokenworth.feeds.usage.files import UsageFile
from tokenworth.flows.elsewhere.intake import Fate, Intake, Outcome, repeated
from tokenworth.flows.elsewhere.reported import Read
from tokenworth.flows.serve.order import Shop
from tokenworth.store.sqlite.books import apply_book
from tokenworth.wiring.clock import now
from tokenworth.wiring.costs import cost_card
from tokenworth.wiring.ledgers import AnyReader, Where, open_directory, open_ledger, open_reader, open_registry
from tokenworth.wiring.onboard import agree

PIECE = 500
"""Uses in one commit, and in one look at what is recorded."""
PHASES = ("reading", "recording")
Tell = Callable[[str, float], None]
"""Hears the phase, and which part of the file is done in it."""
DIGITS = 16
"""Of digests that are kept of a whole file, to find what it says twice."""


@dataclass(slots=True)
class Total:
    """How many records had each fate, what was charged (nano-units of `unit`), and every problem once."""

    unit: str
    fates: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    charged: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count a record."""
        self.fates[outcome.fate] += 1
        self.problems += outcome.problems
        if outcome.fate is Fate.ACCEPTED:
            self.charged += outcome.charge


def import_usage(file: UsageFile, book: Book, database: Where, *, partial: bool, tell: Tell = lambda _, __: None) -> Total:
    """Record a file's usage and return what became of it; FilesError with every problem of it, unless `partial`."""
    total = check_usage(file, book, database, tell=tell)
    if total.problems and not partial:
        raise FilesError(total.problems)
    with closing(open_registry(database, create=False)) as registry:
        apply_book(registry.db, book.id, book.files, now())
    agree(book, database)
    done = Total(book.unit)
    with _intake(book, database) as intake:
        for outcome in _recorded(intake, file.read(lambda part: tell(PHASES[1], part)), database):
            done.add(_placed(outcome, file))
    return done


def check_usage(file: UsageFile, book: Book, database: Where, *, tell: Tell = lambda _, __: None) -> Total:
    """Return what would become of a file's usage, and all that is wrong with it; nothing is changed."""
    total = Total(book.unit)
    with _intake(book, database) as intake, open_reader(database) as reader:
        _check_units(book, reader)
        for outcome in _compared(intake, file.read(lambda part: tell(PHASES[0], part)), reader):
            total.add(_placed(outcome, file))
    return total


@contextmanager
def _intake(book: Book, database: Where) -> Iterator[Intake]:
    shop = Shop(book, cost_card(book))
    with closing(open_directory(database)) as directory:
        yield Intake(lambda: shop, directory, now)


def _compared(intake: Intake, reads: Iterator[Read], reader: AnyReader) -> Iterator[Outcome]:
    """Rate everything, and compare it with what is recorded and with itself."""
    mine: dict[str, str] = {}
    for piece in _pieces(intake, reads):
        known = reader.recorded([each.event.id for _, each in piece if isinstance(each, Record)])
        for read, each in piece:
            if isinstance(each, Outcome):
                yield each
                continue
            event, name = each.event, each.event.id.removeprefix(IMPORTED)[:DIGITS]
            before = known.get(event.id) or mine.get(name)
            mine.setdefault(name, each.body[:DIGITS])
            if before is not None and not each.body.startswith(before):
                yield repeated(read, event.id)
            else:
                yield Outcome(read, Fate.DUPLICATE if before else Fate.ACCEPTED, event.id, event.charge, event.unit)


def _recorded(intake: Intake, reads: Iterator[Read], database: Where) -> Iterator[Outcome]:
    with open_ledger(database, create=False) as ledger:
        for piece in _pieces(intake, reads):
            commands = [each for _, each in piece if isinstance(each, Record)]
            results = iter(ledger.submit_now(commands) if commands else ())
            for read, each in piece:
                yield intake.told(read, each, next(results)) if isinstance(each, Record) else each


def _pieces(intake: Intake, reads: Iterator[Read]) -> Iterator[list[tuple[Read, Record | Outcome]]]:
    while piece := list(islice(reads, PIECE)):
        yield [(read, intake.prepare(read)) for read in piece]


def _placed(outcome: Outcome, file: UsageFile) -> Outcome:
    """Return an outcome whose problems name the file and the line."""
    if not outcome.problems:
        return outcome
    return replace(outcome, problems=tuple(replace(each, file=str(file.path), line=outcome.read.number) for each in outcome.problems))


def _check_units(book: Book, reader: AnyReader) -> None:
    other = next(reader.of_other_units(book.unit, book.currency), None)
    if other is not None:
        what = f"{other[0]}'s account is in {other[1]} and {other[2]}, the book is in {book.unit} and {book.currency}"
        raise InputError(what, mend="give this book a database of its own with --db", code="account_unit_differs")
