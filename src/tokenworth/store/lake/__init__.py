"""History where it is columnar: usage events as Parquet, rated by the same kernel on Ibis columns. Needs the extra `analytics`."""

from typing import Any

from tokenworth.core import extras


def need(module: str) -> Any:
    """Import a module of the extra, or say how to install it."""
    return extras.need(module, "analytics")
