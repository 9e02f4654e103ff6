"""Errors with a stable code: what happened, why, and the mend.

TokenworthError
|-- InputError            something a person or a provider gave cannot be used
|   |-- MoneyError        bad_amount     not exact decimal text, or too many decimals
|   |-- InstantError      bad_instant    not a date or an ISO 8601 instant with offset
|   |-- UsageError        bad_usage      counts that contradict each other, or no counts at all
|   |   |-- UnknownUnitError   unknown_unit   a class of tokens, or a context, that nobody declared
|   `-- FilesError        bad_files      all problems of files that were given
|       `-- BookError     bad_book       all problems of all files of a book
|-- PriceError            unpriced       no rate is in force for what was used
|-- LedgerError           ledger         the ledger cannot be read, written or trusted
`-- SupplierError         supplier       a supplier failed, timed out or answered nonsense
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file, with the place and the mend."""

    code: str
    what: str
    mend: str
    file: str = ""
    line: int = 0
    field: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        """Render as `file:line: field: what (mend) [code]`, the form that editors link."""
        place = f"{self.file}:{self.line}: " if self.file else ""
        field = f"{self.field}: " if self.field else ""
        mend = f" ({self.mend})" if self.mend else ""
        return f"{place}{field}{self.what}{mend} [{self.code}]"


class TokenworthError(Exception):
    """Base of all errors that this package raises on purpose."""

    code = "error"

    def __init__(self, what: str, *, mend: str = "", code: str = "") -> None:
        """Say what happened and how to mend it; `code` refines the class's stable code."""
        super().__init__(what)
        self.what = what
        self.mend = mend
        self.code = code or self.code

    def __str__(self) -> str:
        """Join what happened with its mend."""
        return f"{self.what} ({self.mend})" if self.mend else self.what


class InputError(TokenworthError):
    """Something that a person or a provider gave cannot be used."""

    code = "bad_input"


class MoneyError(InputError):
    """Text is not an exact decimal of the allowed precision."""

    code = "bad_amount"


class InstantError(InputError):
    """Text is not a date or an ISO 8601 instant with an offset."""

    code = "bad_instant"


class UsageError(InputError):
    """A usage payload has no counts, or counts that contradict each other."""

    code = "bad_usage"


class UnknownUnitError(UsageError):
    """A class of tokens, or a context that changes prices, is not declared."""

    code = "unknown_unit"


class FilesError(InputError):
    """Files have problems; all of them are listed."""

    code = "bad_files"
    told = "the file has problems"

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Take every problem of every file."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class BookError(FilesError):
    """A book has problems; all of them are listed."""

    code = "bad_book"
    told = "the book has problems"


class PriceError(TokenworthError):
    """No rate is in force for what was used."""

    code = "unpriced"


class LedgerError(TokenworthError):
    """The ledger cannot be read, written or trusted."""

    code = "ledger"


class SupplierError(TokenworthError):
    """A supplier failed, timed out or answered nonsense."""

    code = "supplier"
