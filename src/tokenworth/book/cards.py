"""Rows of dated rates -> the cells of a card, with every problem of the rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tokenworth.book.entries import Entry
from tokenworth.book.schema import CostRow, DatedRow, RateRow
from tokenworth.core.errors import InputError, Problem
from tokenworth.core.instants import format_instant
from tokenworth.price.card import Terms, compile_terms

REQUIRED = ("input", "output")
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one entry: `key` names their list in the files, `product` the product of rows that do not state one."""

    entry: Entry
    key: str
    rows: Sequence[DatedRow]
    currency: str
    card: str
    product: str = ""

    def cell(self, row: DatedRow) -> Cell:
        """Return product and tier of a row."""
        return (row.product if isinstance(row, RateRow) else self.product, row.tier)

    def cite(self, row: DatedRow) -> str:
        """Return the source that a charge cites: `card@date product/tier`."""
        return f"{self.card}@{show_date(row.since)} {'/'.join(self.cell(row))}"

    def sound(self, at: int) -> bool:
        """Whether nothing is wrong in the row at a position."""
        return self.entry.rows[self.key][at].sound()

    def problem(self, at: int, code: str, what: str, *, mend: str, unit: str = "") -> Problem:
        """Make a problem of the row at a position, or of one of its units."""
        return self.entry.problem(code, what, mend, self.key, at, *([unit] if unit else []))


@dataclass(slots=True)
class Compiled:
    """What rows came to."""

    cells: dict[Cell, tuple[Terms, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def card_rows(entry: Entry, unit: str) -> Rows:
    """Return the rows of a card's entry."""
    return Rows(entry, "rates", entry.table.rates, unit, entry.id)


def cost_rows(entry: Entry, currency: str) -> Rows:
    """Return the cost rows of a model's entry."""
    rows: list[CostRow] = entry.table.cost
    return Rows(entry, "cost", rows, currency, "costs", entry.id)


def show_date(instant: int) -> str:
    """Return the date of an instant at midnight UTC, else its whole text."""
    return format_instant(instant).removesuffix("T00:00:00Z")


def compile_rows(rows: Rows) -> Compiled:
    """Compile all rows of an entry: one cell a product and tier, one Terms a date, one step an `above`."""
    made = Compiled()
    terms: dict[Cell, dict[int, Terms]] = {}
    for (cell, since), group in _groups(rows, made).items():
        problems = list(_check(rows, group))
        made.problems += problems
        if not problems and 0 in group and (found := _terms(rows, group, made)):
            terms.setdefault(cell, {})[since] = found
    made.cells = {cell: tuple(found for _, found in sorted(dated.items())) for cell, dated in terms.items()}
    return made


def _groups(rows: Rows, made: Compiled) -> dict[tuple[Cell, int], dict[int, int]]:
    """Return positions of rows by (cell, date) and `above`; a second row of the same kind is a problem."""
    groups: dict[tuple[Cell, int], dict[int, int]] = {}
    for at, row in enumerate(rows.rows):
        if not rows.sound(at):
            continue
        steps = groups.setdefault((rows.cell(row), row.since), {})
        if row.above in steps:
            first = rows.entry.rows[rows.key][steps[row.above]]
            above = f" above {row.above}" if row.above else ""
            what = f"{rows.cite(row)}{above} has rates at {first} already"
            made.problems.append(rows.problem(at, "duplicate_rate", what, mend="keep one, or give this one another date"))
        else:
            steps[row.above] = at
    return groups


def _check(rows: Rows, group: Mapping[int, int]) -> Iterator[Problem]:
    """Find what is missing or out of place in the rows of one cell and date."""
    if 0 not in group:
        if not rows.entry.sound(rows.key):
            # the row that is wrong may be the one that is missing
            return
        at = min(group.values())
        mend = "add a row of the same product, tier and date without `above`"
        yield rows.problem(at, "missing_base", f"{rows.cite(rows.rows[at])} has only rates above a size", mend=mend)
        return
    units = rows.rows[group[0]].stated()
    for above, at in group.items():
        stated = rows.rows[at].stated()
        for name in stated:
            if why := _broken(name, stated):
                yield rows.problem(at, "bad_reference", why, mend='name a unit of this row, such as "as input"', unit=name)
        for name in REQUIRED:
            if name not in stated:
                yield rows.problem(at, "missing_rate", f"{name} has no rate", mend=f'add {name} = "..."; "0" where it is free')
        odd = [name for name in stated.keys() ^ units.keys() if name not in REQUIRED]
        if above and odd:
            what = f"the row above {above} and the one without `above` do not rate the same units: {', '.join(sorted(odd))}"
            yield rows.problem(at, "uneven_steps", what, mend="rate the same units in both")


def _broken(name: str, stated: Mapping[str, int | str]) -> str:
    """Say why a rate does not come down to a number, or nothing."""
    seen = [name]
    while isinstance(target := stated[seen[-1]], str):
        if target not in stated:
            return f"{seen[-1]} shares the rate of {target}, which this row does not state"
        if target in seen:
            return f"{' shares the rate of '.join([*seen, target])}: a circle"
        seen.append(target)
    return ""


def _number(name: str, stated: Mapping[str, int | str]) -> int:
    value = stated[name]
    return _number(value, stated) if isinstance(value, str) else value


def _terms(rows: Rows, group: Mapping[int, int], made: Compiled) -> Terms | None:
    first = rows.rows[group[0]]
    steps = {}
    for above, at in group.items():
        stated = rows.rows[at].stated()
        steps[above] = {name: _number(name, stated) for name in stated}
    try:
        return compile_terms(currency=rows.currency, since=first.since, source=rows.cite(first), steps=steps)
    except InputError as error:
        made.problems.append(rows.problem(group[0], "rate_too_large", error.what, mend=error.mend))
        return None
