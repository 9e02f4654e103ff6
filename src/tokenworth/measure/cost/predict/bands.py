"""Bands that cover as often as they say, by conformal prediction over groups.

Errors of one group resemble each other, so a band for a group that nobody measured must look at whole groups: each weighs the same, and the one
asked for is one more of their kind. That is hierarchical conformal prediction (Lee, Barber and Willett 2023, arXiv:2306.06342), here on errors of
points that were left out (cross-conformal) rather than of a part set aside: it uses every measurement, and its coverage is checked in `validation`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.8
"""Share of cases that a band is to cover."""


@dataclass(frozen=True, slots=True)
class Band:
    """Factors on a calibrated throughput between which the truth is expected, with probability `level`.

    Attributes:
        low: below one as a rule.
        high: above one as a rule.
        level: between 0 and 1.
    """

    low: float
    high: float
    level: float

    def covers(self, left: float) -> bool:
        """Tell whether a logarithm of true over calibrated throughput lies inside."""
        return self.low <= exp(left) <= self.high


def band(errors: Iterable[Sequence[float] | NDArray[np.float64]], level: float = LEVEL, *, new: bool) -> Band:
    """Return the band from each group's logarithms of measured over calibrated throughput, of points that the calibration did not see.

    Every group weighs the same, spread over its points. Where the band is for a new group, that is one more, at infinity on either side.
    """
    groups = [np.asarray(group, dtype=float) for group in errors]
    values = np.concatenate(groups)
    weights = np.concatenate([np.full(len(group), 1 / len(group)) for group in groups]) / (len(groups) + new)
    rising = np.argsort(values)
    falling = rising[::-1]
    within = (1 + level) / 2
    low, high = -_quantile(-values[falling], weights[falling], within), _quantile(values[rising], weights[rising], within)
    return Band(exp(low), exp(high), level)


def _quantile(rising: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    at = int(np.searchsorted(np.cumsum(weights), share - 1e-12))
    return float(rising[at]) if at < len(rising) else float("inf")
