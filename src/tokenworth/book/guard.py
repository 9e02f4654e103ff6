"""The guard of margins: what is sold below cost, what the supplier bills and the card does not, and where that stands in the files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from tokenworth.book.cards import show_date
from tokenworth.book.margin import MIX, Cell, Row, cells, rates_above, rows, worth
from tokenworth.book.model import Book
from tokenworth.book.places import Places
from tokenworth.book.rules import too_dear
from tokenworth.core.errors import Problem
from tokenworth.core.money import format_rate
from tokenworth.core.units import UNITS
from tokenworth.price.card import Card

ANY_ANSWER = ("cache_read",)
"""What a chat completion may report whoever makes it; input and output have rates anyway, and reasoning shares the output's."""


@dataclass(frozen=True, slots=True)
class Report:
    """Every margin of a book from an instant on, and the problems of margins."""

    at: int
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    by_call: tuple[str, ...]
    """Units other than tokens that a supplier bills and no card rates, such as searches."""

    @property
    def worst(self) -> Row | None:
        """The row with the least margin that is not meant as a loss leader."""
        return min((row for row in self.rows if not row.loss_leader), key=lambda row: row.rank, default=None)

    @property
    def loss_leaders(self) -> tuple[Row, ...]:
        """Rows below cost on purpose."""
        return tuple(row for row in self.rows if row.loss_leader and row.below_cost)


def check_margins(book: Book, costs: Card, at: int) -> Report:
    """Compare every rate with its cost at an instant and at every later change of either."""
    places = Places(book)
    found = list(cells(book, costs, at))
    table = tuple(rows(found, book))
    problems = [
        *_worthless(book, places),
        *_uncosted(found, places),
        *_unmetered(found, places),
        *_units(found, places),
        *_too_dear(found, book, places),
        *(_below(row, at, book, places) for row in table if row.below_cost and not row.loss_leader),
    ]
    problems.sort(key=lambda problem: (problem.file, problem.line, problem.field))
    return Report(at, table, tuple(problems), _by_call(found))


def _below(row: Row, at: int, book: Book, places: Places) -> Problem:
    what = (
        f"{name_of(row, at)}: brings {show_money(row.price)} {book.currency} per million on plan {row.worth.plan} and costs {show_money(row.cost)}, "
        f"margin {show_percent(row.margin)}"
    )
    mend = f'ask at least {format_rate(row.enough)}, or add loss_leader = "why" to the row'
    # one model of a mix may lose what the others bring
    severity = "warning" if row.model != MIX and not row.alone else "error"
    return places.rate(row.source, row.step, row.unit, Problem("below_cost", what, mend, severity=severity))


def _too_dear(found: Sequence[Cell], book: Book, places: Places) -> Iterator[Problem]:
    """Find models that their product's `max_cost` leaves out: a warning, and an error where it leaves out all of them."""
    seen: set[tuple[str, str]] = set()
    for (product, _, at), group in groupby(found, key=lambda cell: (cell.product, cell.tier, cell.at)):
        each = list(group)
        dear = {cell.model.id: why for cell in each if (why := too_dear(book.products[product].rules, cell.cost))}
        severity = "error" if len(dear) == len(each) else "warning"
        for model, why in dear.items():
            if (product, model) not in seen:
                seen.add((product, model))
                what = f"{product}: {model} is not asked from {show_date(at)} on, as {why}"
                problem = Problem("too_dear", what, "raise max_cost, or take it out of the mix", field="max_cost", severity=severity)
                yield places.section("products", product, problem)


def _worthless(book: Book, places: Places) -> Iterator[Problem]:
    """Find cards whose plans all give units away."""
    for id_ in book.cards:
        if worth(book, id_) is None:
            what = f"no plan puts a price on its {book.unit}, so no margin can be said"
            yield places.section("cards", id_, Problem("no_worth", what, "give one of its plans a credit_price, or fee and included"))


def _uncosted(found: Sequence[Cell], places: Places) -> Iterator[Problem]:
    for cell in found:
        if cell.cost is None:
            what = f"{cell.product} at {cell.tier}: no cost of {cell.model.id} is known from {show_date(cell.at)}"
            mend = f"mend its list_price, or add [[models.{cell.model.id}.cost]] from that date on"
            yield places.section("models", cell.model.id, Problem("uncosted", what, mend))


def _unmetered(found: Sequence[Cell], places: Places) -> Iterator[Problem]:
    """Find units that any answer may report and a side does not rate: then nothing of the request is charged, or its cost is not known."""
    seen: set[tuple[str, str]] = set()
    for cell in found:
        for name in ANY_ANSWER:
            if name not in cell.sold.steps[0].rates and (cell.sold.source, name) not in seen:
                seen.add((cell.sold.source, name))
                what = f"{cell.product} at {cell.tier}: any answer may report {name}, and the card has no rate for it, so it would not be charged"
                yield places.rate(cell.sold.source, 0, "", Problem("uncovered_unit", what, f'add {name} = "as input", or a rate of its own'))
            if cell.cost and name not in cell.cost.steps[0].rates and (cell.model.id, name) not in seen:
                seen.add((cell.model.id, name))
                what = f"any answer may report {name}, and no cost of it is known, so no margin could be said"
                mend = f'add {name} = "as input", or a cost of its own, to [[models.{cell.model.id}.cost]]'
                yield places.section("models", cell.model.id, Problem("uncosted_unit", what, mend))


def _units(found: Sequence[Cell], places: Places) -> Iterator[Problem]:
    """Find units that only one side knows, once a citation of the card."""
    seen: set[tuple[str, str]] = set()
    for cell in found:
        if cell.cost is None:
            continue
        sold, cost = cell.sold.steps[0].rates, rates_above(cell.cost, 0)[1]
        bare = [name for name in cost if name not in (*sold, *ANY_ANSWER) and _differs(name, cost)]
        groups = {
            ("uncovered_unit", "error"): [name for name in bare if UNITS[name].modality == "text"],
            ("uncovered_unit", "warning"): [name for name in bare if UNITS[name].modality not in ("text", "")],
            ("uncosted_unit", "warning"): [name for name in sold if name not in (*cost, *ANY_ANSWER) and not UNITS[name].billed_as],
        }
        for (code, severity), names in groups.items():
            new = [name for name in names if (cell.sold.source, name) not in seen]
            seen.update((cell.sold.source, name) for name in new)
            if new:
                yield _unit_problem(cell, new, places, code=code, severity=severity)


def _unit_problem(cell: Cell, names: Sequence[str], places: Places, *, code: str, severity: str) -> Problem:
    units = ", ".join(names)
    if code == "uncovered_unit":
        what = f"{cell.product} at {cell.tier}: the supplier bills {units}, and the card has no rate for it"
        mend = f'add {names[0]} = "...", or "as input" for the same rate as another unit'
    else:
        what = f"{cell.product} at {cell.tier}: the card sells {units}, and no cost of it is known"
        mend = f"remove it, or add it to [[models.{cell.model.id}.cost]]"
    return places.rate(cell.sold.source, 0, "", Problem(code, what, mend, severity=severity))


def _differs(name: str, cost: Mapping[str, int]) -> bool:
    """Whether a unit costs something else than each of the nearest units inside which it is counted."""
    wider = [UNITS[other] for other in cost if UNITS[name].refines(UNITS[other])]
    most = max((len(unit.dimensions) for unit in wider), default=0)
    return all(cost[unit.name] != cost[name] for unit in wider if len(unit.dimensions) == most)


def _by_call(found: Sequence[Cell]) -> tuple[str, ...]:
    bought = {name for cell in found if cell.cost for name in cell.cost.steps[0].rates if not UNITS[name].modality}
    return tuple(sorted(bought - {name for cell in found for name in cell.sold.steps[0].rates}))


def name_of(row: Row, at: int) -> str:
    """Name a row for people, with its date where that is later than the check's: `chat at flex, input above 200000, from 2027-01-01`."""
    above = f" above {row.above}" if row.above else ""
    since = f", from {show_date(row.at)}" if row.at > at else ""
    by = f" by {row.model}" if row.model != MIX and not row.alone else ""
    return f"{row.product}{by} at {row.tier}, {row.unit}{above}{since}"


def show_money(pico: Fraction | int) -> str:
    """Return decimal text per million, rounded half-even to six decimals."""
    return format_rate(round(pico))


def show_percent(margin: Fraction | None) -> str:
    """Return a margin in per cent with one decimal; a dash where nothing is asked."""
    if margin is None:
        return "-"
    tenths = round(margin * 1000)
    return f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10} %"
