"""Values between measured ones."""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator


def interpolate(at: Sequence[float], values: Sequence[float], asked: float) -> float:
    """Return the value at `asked`, which lies between the first and the last of the rising `at`; all are positive.

    Monotone cubic in the logarithms of both (Fritsch and Carlson, SIAM J. Numer. Anal. 17 (1980) 238): no value leaves its neighbours' range.
    """
    if len(at) == 1:
        return values[0]
    return float(np.exp(PchipInterpolator(np.log(at), np.log(values))(np.log(asked))))
