"""The least that a request costs, however little it used; as OpenMeter's and Lago's minimum amount, of one request."""

from typing import Any

from tokenworth.core.exact import INT64_MAX, clip


def at_least(price: Any, least: Any) -> Any:
    """Return a price, or the least where it is below."""
    return least + clip(price - least, 0, INT64_MAX)
