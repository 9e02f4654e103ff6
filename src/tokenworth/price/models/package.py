"""Packages: a request's count of a unit is billed in whole packages, of which the last may not be full.

As Stripe's `transform_quantity` with `round = "up"`, Orb's and Lago's package prices. Counting up to full packages needs no division: a remainder is
exact on every engine, and the rate stays one of a single unit.
"""

from collections.abc import Mapping
from typing import Any


def full(counts: Mapping[str, Any], packages: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return counts with those of packaged units rounded up to whole packages."""
    return {name: _up(count, packages[name]) if name in packages else count for name, count in counts.items()}


def _up(count: Any, size: Any) -> Any:
    return count + (size - count % size) % size
