"""Billable units as dimension sets.

A unit is a set of dimensions with one name. `cache_read` refines `input`: it has all of input's dimensions and one more. Provider counts
overlap along that order; `disjoint` turns them into leaves that do not, so that each token is counted once. Text is the modality of a unit
that names none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from tokenworth.core.errors import UnknownUnitError, UsageError

MAX_COUNT = 100_000_000
"""The most of one unit that one event may carry; more is a broken payload. Compile proves that no charge overflows below it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that can be counted and billed; `billed_as` names the unit whose rate holds where a card states none."""

    name: str
    dimensions: frozenset[tuple[str, str]]
    billed_as: str = ""

    def refines(self, other: "Unit") -> bool:
        """Whether every count of this unit is also inside a count of `other`."""
        return self.dimensions > other.dimensions

    @property
    def direction(self) -> str:
        """`input`, `output`, or empty for units that have no direction."""
        return dict(self.dimensions).get("direction", "")

    @property
    def modality(self) -> str:
        """`text` unless the unit says otherwise; empty for units that are not tokens."""
        dimensions = dict(self.dimensions)
        return dimensions.get("modality", "text") if dimensions["family"] == "tokens" else ""


def _tokens(direction: str, **more: str) -> frozenset[tuple[str, str]]:
    return frozenset({"family": "tokens", "direction": direction, **more}.items())


def _declare() -> Mapping[str, Unit]:
    media = ("audio", "image", "video")
    units = [
        Unit("input", _tokens("input")),
        *(Unit(f"input_{m}", _tokens("input", modality=m)) for m in media),
        # tokens that a supplier's own tools put into the prompt
        Unit("input_tool", _tokens("input", origin="tool"), billed_as="input"),
        Unit("cache_read", _tokens("input", cache="read")),
        *(Unit(f"cache_read_{m}", _tokens("input", cache="read", modality=m)) for m in media),
        Unit("cache_write", _tokens("input", cache="write")),
        Unit("cache_write_5m", _tokens("input", cache="write", ttl="5m"), billed_as="cache_write"),
        Unit("cache_write_30m", _tokens("input", cache="write", ttl="30m"), billed_as="cache_write"),
        Unit("cache_write_1h", _tokens("input", cache="write", ttl="1h")),
        Unit("cache_write_12h", _tokens("input", cache="write", ttl="12h")),
        Unit("output", _tokens("output")),
        *(Unit(f"output_{m}", _tokens("output", modality=m)) for m in media),
        # every supplier seen bills reasoning as output unless it lists a rate of its own
        Unit("reasoning", _tokens("output", kind="reasoning"), billed_as="output"),
        Unit("citation", _tokens("output", kind="citation"), billed_as="output"),
        Unit("web_search", frozenset({"family": "tool_calls", "tool": "web_search"}.items())),
        Unit("request", frozenset({"family": "requests"}.items())),
    ]
    return MappingProxyType({unit.name: unit for unit in units})


UNITS: Mapping[str, Unit] = _declare()
"""Every unit by name, in the order in which tables and files show them."""

INPUT_TOKENS = frozenset(name for name, unit in UNITS.items() if unit.direction == "input")
"""Leaves that fill the context window: what a long-context step looks at."""


def unit(name: str) -> Unit:
    """Return a declared unit, else UnknownUnitError."""
    try:
        return UNITS[name]
    except KeyError:
        raise UnknownUnitError(f"unit {name!r} is not declared", mend=f"use one of {', '.join(UNITS)}") from None


def disjoint(counts: Mapping[str, int]) -> dict[str, int]:
    """Turn overlapping counts into disjoint leaves: each unit less what is counted again in units that refine it.

    Keys are unit names; a zero is a count like any other on the way in, and vanishes on the way out. Raises UsageError where a leaf would
    be negative or two refinements overlap without a count of their meeting; the message names both counts.
    """
    leaves: dict[str, int] = {}
    for coarse, finer in _inside(frozenset(counts), frozenset([name for name, count in counts.items() if count])):
        if len(finer) > 1:
            _refuse_overlap(finer, counts)
        left = counts[coarse.name] - sum([leaves[u.name] for u in finer])
        if left < 0:
            inside = ", ".join(f"{u.name} ({counts[u.name]})" for u in finer)
            raise UsageError(f"{inside} exceed {coarse.name} ({counts[coarse.name]}), inside which they are counted")
        leaves[coarse.name] = left
    return {name: leaves[name] for name in UNITS if leaves.get(name)}


@lru_cache(maxsize=1024)
def _inside(given: frozenset[str], used: frozenset[str]) -> tuple[tuple[Unit, tuple[Unit, ...]], ...]:
    """Return the given units, finest first, each with those of the used ones that refine it; a provider always gives the same few sets."""
    units = sorted(map(unit, sorted(given)), key=lambda u: -len(u.dimensions))
    return tuple([(coarse, tuple([u for u in units if u.name in used and u.refines(coarse)])) for coarse in units])


def _refuse_overlap(finer: Sequence[Unit], counts: Mapping[str, int]) -> None:
    """Refuse two counts that may share tokens (cached, audio) where nothing says how many are both."""
    for at, one in enumerate(finer):
        for other in finer[at + 1 :]:
            if one.refines(other) or other.refines(one):
                continue
            meeting = one.dimensions | other.dimensions
            clash = len(dict(meeting)) != len(meeting)
            if clash or any(meeting <= unit(name).dimensions for name in counts):
                continue
            raise UsageError(
                f"{one.name} ({counts[one.name]}) and {other.name} ({counts[other.name]}) may overlap, and no count says by how much",
                mend="give the count of both together",
            )
