"""History where it is columnar: usage events as Parquet, rated by the same kernel on Ibis columns. Needs the extra `analytics`."""

from importlib import import_module
from typing import Any

from tokenworth.core.errors import TokenworthError


def need(module: str) -> Any:
    """Import a module of the extra, or say how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as absent:
        if absent.name and absent.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise TokenworthError(
            f"{module} is not installed", mend="install the extra: pip install 'tokenworth[analytics]'", code="missing_extra"
        ) from None
