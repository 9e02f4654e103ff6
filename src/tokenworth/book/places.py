"""Where the tables and rows of a book stand, found again in its texts, so that its typed parts need not carry lines."""

from tokenworth.book.cards import card_rows
from tokenworth.book.entries import Entry, merge
from tokenworth.book.model import Book
from tokenworth.book.source import Source, parse
from tokenworth.core.errors import Problem


class Places:
    """The places of one book."""

    def __init__(self, book: Book) -> None:
        """Index the rows by citation and step."""
        self._entries = merge([source for name, text in book.files.items() if isinstance(source := parse(name, text), Source)])
        self._rows: dict[tuple[str, int], tuple[Entry, int]] = {}
        for entry in self._entries["cards"].values():
            made = card_rows(entry, "")
            self._rows.update({(made.cite(row), row.above): (entry, at) for at, row in enumerate(entry.table.rates)})

    def rate(self, source: str, step: int, unit: str, problem: Problem) -> Problem:
        """Put a problem where a rate stands, or at its row where the rate is another unit's."""
        entry, at = self._rows[source, step]
        return self._put(problem, entry, "rates", at, *([unit] if unit else []))

    def section(self, section: str, id_: str, problem: Problem) -> Problem:
        """Put a problem where an entry stands, at its field if the problem names one."""
        return self._put(problem, self._entries[section][id_], *([problem.field] if problem.field else []))

    @staticmethod
    def _put(problem: Problem, entry: Entry, *more: str | int) -> Problem:
        return entry.problem(problem.code, problem.what, problem.mend, *more, severity=problem.severity)
