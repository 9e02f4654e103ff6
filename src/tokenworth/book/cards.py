"""Rows of dated rates -> the cells of a card, with every problem of the rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tokenworth.book.entries import Entry
from tokenworth.book.schema import CostRow, DatedRow, RateRow
from tokenworth.core.errors import InputError, Problem
from tokenworth.core.instants import format_instant
from tokenworth.core.money import PICO_PER_NANO
from tokenworth.core.units import INPUT_TOKENS
from tokenworth.price.card import BAD_FORM, Terms, compile_terms
from tokenworth.price.schedule import Form

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
    yield from _check_form(rows, group)
    units = rows.rows[group[0]].stated()
    for above, at in group.items():
        stated = _stated(rows, group, at)
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


def _check_form(rows: Rows, group: Mapping[int, int]) -> Iterator[Problem]:
    """Find what belongs to the row without `above`, and long-context rows of two readings."""
    marginal = {rows.rows[at].marginal for above, at in group.items() if above}
    for above, at in group.items():
        row = rows.rows[at]
        if row.marginal and not above:
            yield rows.problem(at, "bad_value", "a row without `above` has nothing above it", mend="remove it, or add `above`", unit="marginal")
        if above and len(marginal) > 1:
            what = "of the long-context rows one holds for the whole request and one for what is above"
            yield rows.problem(at, "uneven_steps", what, mend="write marginal = true in all of them or in none", unit="above")
        for name in ("minimum", "packages"):
            if above and getattr(row, name):
                yield rows.problem(at, "bad_value", f"{name} holds for all requests", mend="write it in the row without `above`", unit=name)
        for name in sorted(row.stated().keys() - INPUT_TOKENS) if row.marginal and above else ():
            what = f"{name} is not input, and the row holds for the input above {above}"
            yield rows.problem(at, "bad_value", what, mend="remove it", unit=name)
        for name in sorted(row.packages.keys() - row.stated().keys()):
            yield rows.problem(at, "bad_reference", f"packages of {name}, which has no rate", mend=f'add {name} = "..."', unit="packages")


def _stated(rows: Rows, group: Mapping[int, int], at: int) -> dict[str, int | str]:
    """Return the rates of a row; one that holds for the input above has those of the first for what is not input."""
    row = rows.rows[at]
    if not row.marginal:
        return row.stated()
    first = rows.rows[group[0]].stated()
    return row.stated() | {name: value for name, value in first.items() if name not in INPUT_TOKENS}


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
        stated = _stated(rows, group, at)
        steps[above] = {name: _number(name, stated) for name in stated}
    marginal = any(rows.rows[at].marginal for at in group.values())
    form = Form(marginal, first.packages, first.minimum * PICO_PER_NANO)
    try:
        return compile_terms(currency=rows.currency, since=first.since, source=rows.cite(first), steps=steps, form=form)
    except InputError as error:
        code = error.code if error.code == BAD_FORM else "rate_too_large"
        made.problems.append(rows.problem(group[0], code, error.what, mend=error.mend))
        return None
