"""Screens of a table of points, by physics and by what rows say of each other; the rules stand in `screening.RULES`."""

from collections.abc import Sequence
from dataclasses import replace

from tokenworth.measure.cost import speculation
from tokenworth.measure.cost.gpus import gpus
from tokenworth.measure.cost.limits import TOKENS_A_STEP, fastest_step, most_throughput, weights
from tokenworth.measure.cost.models import models
from tokenworth.measure.cost.points import Kind, Point
from tokenworth.measure.cost.screening import Screened, Screening
from tokenworth.measure.cost.series import UNSTATED, configuration, grouped, longest_rise, run

SAME = 0.001
"""Relative difference of both times below which two rows tell one measurement, rounded by two people."""

NOISE = 0.05
"""How much faster a step may seem at a higher load: means over hundreds of requests differ by some percent from run to run."""


def screen(points: Sequence[Point], found: Screening) -> Screened:
    """Apply the screens in order to what was measured; `found` may hold what reading the table already dropped or mended."""
    estimated = [point for point in points if point.kind is not Kind.MEASURED]
    once = _once([point for point in points if point.kind is Kind.MEASURED], found)
    marked = speculation.mark(once, found)
    possible = [point for point in marked if _possible(point, found)]
    rising = [point for group in grouped(possible, lambda p: (run(p), p.stack)).values() for point in _rising(group, found)]
    kept = _not_contradicted(rising, found)
    return Screened((*kept, *estimated), tuple(found.dropped), tuple(found.mended))


def _once(points: Sequence[Point], found: Screening) -> list[Point]:
    """Keep of rows that tell one measurement the one that says most; of different GPU counts the least was stated, the others multiplied."""
    kept: list[Point] = []
    for group in grouped(points, lambda p: (replace(p.stack, precision=""), p.concurrency)).values():
        first: list[Point] = []
        for point in sorted(group, key=lambda p: (p.gpus, not p.measured, not p.version, not p.stack.precision)):
            twin = next((other for other in first if _same(point, other)), None)
            if twin:
                found.drop(point.source, "same_measurement", f"it is that of {twin.source.split()[-1]}")
            else:
                first.append(point)
        kept += first
    return kept


def _same(one: Point, other: Point) -> bool:
    return abs(one.ttft / other.ttft - 1) < SAME and abs(one.tpot / other.tpot - 1) < SAME


def _possible(point: Point, found: Screening) -> bool:
    model, gpu = models().get(point.stack.model), gpus().get(point.stack.gpu)
    if model is None or gpu is None:
        return True
    held, room = weights(point, model), point.gpus * gpu.memory
    step = fastest_step(point, model, gpu) / (TOKENS_A_STEP if point.stack.speculative else 1)
    most = most_throughput(point, model, gpu)
    if held > room:
        found.drop(point.source, "larger_than_memory", f"{held / 1e9:.4g} GB of weights; {point.gpus} GPUs hold {room / 1e9:.4g}")
    elif point.tpot < step:
        found.drop(point.source, "faster_than_memory", f"{1000 * point.tpot:.3g} ms a token; reading takes {1000 * step:.3g} ms at least")
    elif point.throughput > most:
        found.drop(point.source, "faster_than_compute", f"{point.throughput:.4g} tokens/s/GPU; its operations allow {most:.4g} at most")
    else:
        return True
    return False


def _rising(group: Sequence[Point], found: Screening) -> list[Point]:
    if group[0].parallelism == UNSTATED:
        return list(group)
    kept = longest_rise(group, NOISE)
    for point in group:
        if point not in kept:
            near = min(kept, key=lambda p: (abs(p.concurrency - point.concurrency), p.source))
            found.drop(point.source, "not_monotone", f"{_told(point)} contradicts {_told(near)} and the rest of its run")
    return kept


def _told(point: Point) -> str:
    return f"{1000 * point.tpot:.4g} ms at {point.concurrency:g}"


def _not_contradicted(points: Sequence[Point], found: Screening) -> list[Point]:
    kept = []
    for where, group in grouped(points, configuration).items():
        for point in group:
            rival = next((other for other in group if where.spread != UNSTATED and _contradicts(other, point)), None)
            if rival:
                found.drop(point.source, "contradicted", f"{_told(point)} in an older run; the newer needs {_told(rival)}")
            else:
                kept.append(point)
    return kept


def _contradicts(newer: Point, older: Point) -> bool:
    dated = bool(older.measured) and older.measured < newer.measured
    return dated and 2 * newer.concurrency <= older.concurrency and older.tpot < newer.tpot * (1 - NOISE)
