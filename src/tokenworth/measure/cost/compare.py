"""A claim about two GPUs, so many times the throughput at such a part of the cost, answered as a curve over speed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.generations import Generation

STEPS = 200
"""Speeds between the ends of the range that both reach."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """New over old, at one speed.

    Attributes:
        speed: output tokens/s/user.
        throughput: output tokens/s/GPU, new over old.
        cost: dollars a token, new over old.
    """

    speed: float
    throughput: float
    cost: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a claim holds.

    Attributes:
        ratios: over the speeds that both reach.
        throughput: spans of speed where it is at least so many times the old one.
        cost: spans of speed where it is at most such a part of the old one.
        only_new: speeds that the new GPU alone reaches, from and to; None where there are none.
    """

    ratios: tuple[Ratio, ...]
    throughput: tuple[tuple[float, float], ...]
    cost: tuple[tuple[float, float], ...]
    only_new: tuple[float, float] | None


def answer(old: Generation, new: Generation, *, times: float, part: float) -> Answer:
    """Say at which speeds the new GPU makes `times` the tokens, and at which a token costs `part`; InputError where their speeds do not meet."""
    (low, high), (low_new, high_new) = old.frontier.range, new.frontier.range
    first, last = max(low, low_new), min(high, high_new)
    if first >= last:
        raise InputError(
            f"{old.gpu} serves at {low:.4g} to {high:.4g} tokens/s/user and {new.gpu} at {low_new:.4g} to {high_new:.4g}: no speed is common",
            mend="compare others, or other lengths",
            code="no_common_speed",
        )
    price = new.hour.value / old.hour.value
    ratios = []
    for speed in np.clip(np.geomspace(first, last, STEPS), first, last):
        gain = new.frontier.throughput_at(float(speed)) / old.frontier.throughput_at(float(speed))
        ratios.append(Ratio(float(speed), gain, price / gain))
    return Answer(
        ratios=tuple(ratios),
        throughput=_spans(ratios, [ratio.throughput >= times for ratio in ratios]),
        cost=_spans(ratios, [ratio.cost <= part for ratio in ratios]),
        only_new=(high, high_new) if high_new > high else None,
    )


def _spans(ratios: Sequence[Ratio], holds: Sequence[bool]) -> tuple[tuple[float, float], ...]:
    """Return the speeds from and to which something holds without a break."""
    spans: list[tuple[float, float]] = []
    for at, (ratio, holding) in enumerate(zip(ratios, holds, strict=True)):
        if not holding:
            continue
        if at and holds[at - 1]:
            spans[-1] = (spans[-1][0], ratio.speed)
        else:
            spans.append((ratio.speed, ratio.speed))
    return tuple(spans)
