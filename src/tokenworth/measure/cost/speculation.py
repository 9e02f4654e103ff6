"""Which measurements were made with speculative decoding, where a table does not mark it.

Two measurements of one configuration, in the same version of the engine or a few weeks apart, differ by some percent. A draft of two or three tokens
makes a step worth half as much again or more (accepted lengths of 2.3 to 3.2, `spec_decode_acceptance` of InferenceX), and versions of an engine
a few weeks apart gain less. So the faster is marked as speculative and the slower as not, by the closest pairs first; what was measured of the same
model on the same day in the same version follows where all that is known of that day agrees; the rest stays unmarked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import permutations
from statistics import median
from typing import NamedTuple

from tokenworth.measure.cost.points import Point
from tokenworth.measure.cost.screening import Screening
from tokenworth.measure.cost.series import UNSTATED, Run, grouped, run

GAIN = 1.3
"""How many times faster the one of two runs of one version must be, in the middle of the loads that both tell."""

GAIN_BETWEEN_VERSIONS = 1.4
DAYS = 31
"""Days apart up to which two versions are compared."""

DIFFERENT = 1.1
"""How many times slower the slower of two times of one run at one load is, once some load shows that it was measured both ways."""


class Half(NamedTuple):
    """Points of one run: 1 the faster where it tells two times at a load, -1 the slower, 0 what has no twin."""

    run: Run
    which: int


class _Evidence(NamedTuple):
    versions: bool
    days: int
    fast: Half
    slow: Half


def mark(points: Sequence[Point], found: Screening) -> list[Point]:
    """Return the points, with `stack.speculative` set where it shows."""
    known = [point for point in points if point.parallelism != UNSTATED]
    half_of = {id(point): half for where, group in grouped(known, run).items() for point, half in _halves(where, group)}
    marks = _marks(grouped(known, lambda point: half_of[id(point)]))
    days = {day: {marks[half] for half in halves} for day, halves in grouped(marks, lambda half: _day(half.run)).items()}
    agreed = {day: told.pop() for day, told in days.items() if len(told) == 1}
    return [_marked(point, _decide(point, half_of.get(id(point)), marks, agreed), found) for point in points]


def _halves(where: Run, group: Sequence[Point]) -> list[tuple[Point, Half]]:
    by_load = grouped(group, lambda p: p.concurrency).values()
    spans = [(min(p.tpot for p in at), max(p.tpot for p in at), at) for at in by_load]
    twice = any(slow >= GAIN * fast for fast, slow, _ in spans)
    halves = []
    for fast, slow, at in spans:
        splits = twice and slow >= DIFFERENT * fast
        halves += [(point, Half(where, 0 if not splits else 1 if point.tpot < (fast * slow) ** 0.5 else -1)) for point in at]
    return halves


def _marks(halves: dict[Half, list[Point]]) -> dict[Half, bool]:
    evidence = []
    for rivals in grouped(halves, lambda half: (half.run.configuration, half.run.parallelism)).values():
        evidence += [found for fast, slow in permutations(rivals, 2) if (found := _compare(fast, slow, halves))]
    marks: dict[Half, bool] = {}
    for _, _, fast, slow in sorted(evidence, key=lambda found: found[:2]):
        if marks.get(fast, True) and not marks.get(slow, False):
            marks[fast], marks[slow] = True, False
    return marks


def _compare(fast: Half, slow: Half, halves: dict[Half, list[Point]]) -> _Evidence | None:
    days = _days(fast.run, slow.run)
    alike = bool(fast.run.version) and fast.run.version == slow.run.version
    if not alike and (days is None or days > DAYS):
        return None
    needed = GAIN if alike else GAIN_BETWEEN_VERSIONS
    return _Evidence(not alike, days or 0, fast, slow) if _gain(halves[fast], halves[slow]) >= needed else None


def _days(one: Run, other: Run) -> int | None:
    if not (one.measured and other.measured):
        return None
    return abs((date.fromisoformat(one.measured) - date.fromisoformat(other.measured)).days)


def _gain(fast: Iterable[Point], slow: Iterable[Point]) -> float:
    """Return how many times faster one run is, in the middle of the loads that both tell; 0 where they share fewer than two."""
    quick = {point.concurrency: point.tpot for point in fast}
    ratios = [point.tpot / quick[point.concurrency] for point in slow if point.concurrency in quick]
    return median(ratios) if len(ratios) > 1 else 0.0


def _day(where: Run) -> tuple[str, ...]:
    stack = where.configuration.stack
    return (stack.model, stack.engine, where.version, where.measured)


def _decide(point: Point, half: Half | None, marks: dict[Half, bool], agreed: dict[tuple[str, ...], bool]) -> bool | None:
    if half is not None and half in marks:
        return marks[half]
    return agreed.get(_day(run(point)), point.stack.speculative) if point.measured else point.stack.speculative


def _marked(point: Point, speculative: bool | None, found: Screening) -> Point:
    if speculative is None or speculative == point.stack.speculative:
        return point
    if speculative:
        found.mend(point.source, "speculative", f"{point.interactivity:.0f} tokens/s/user on {point.parallelism}: too fast without")
    return replace(point, stack=replace(point.stack, speculative=speculative))
