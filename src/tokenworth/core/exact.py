"""Integer arithmetic whose one source runs on a Python int and on a column expression.

A column is anything with `+ - * %` and `clip(lower, upper)`, such as an Ibis integer column. No division: engines disagree about it
(DuckDB's `//` through Ibis goes through a double, which loses units above 2**53).
"""

from collections.abc import Iterable
from typing import Any, Protocol, Self, TypeVar, cast


class Column(Protocol):
    """An integer column expression, as far as prices need one."""

    def __add__(self, other: Any, /) -> Self: ...
    def __radd__(self, other: Any, /) -> Self: ...
    def __sub__(self, other: Any, /) -> Self: ...
    def __mul__(self, other: Any, /) -> Self: ...
    def __rmul__(self, other: Any, /) -> Self: ...
    def __mod__(self, other: Any, /) -> Self: ...
    def clip(self, lower: Any, upper: Any) -> Self:
        """Limit to the closed interval [lower, upper]."""
        ...


N = TypeVar("N", bound="int | Column")

INT64_MAX = 2**63 - 1


def clip(value: N, lower: int, upper: int) -> N:
    """Limit `value` to the closed interval [lower, upper]."""
    if isinstance(value, int):
        return cast("N", lower if value < lower else min(value, upper))
    return cast("N", value.clip(lower, upper))


def total(parts: Iterable[Any]) -> Any:
    """Add without starting from 0, so that a column stays a plain sum; nothing at all is 0."""
    added = None
    for part in parts:
        added = part if added is None else added + part
    return 0 if added is None else added


def half_even(value: N, step: int) -> N:
    """Round a non-negative `value` to the nearest multiple of `step`, ties to the even multiple.

    `up` is one where the remainder passes half a step, or is exactly half above an odd multiple.
    """
    number: Any = value
    rest = number % step
    odd = clip(number % (2 * step) - step + 1, 0, 1)
    up = clip(2 * rest - step + odd, 0, 1)
    return cast("N", number - rest + up * step)
