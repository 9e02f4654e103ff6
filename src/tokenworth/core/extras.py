"""Libraries of the optional extras, imported when they are used, or named with the way to install them."""

from importlib import import_module
from typing import Any

from tokenworth.core.errors import TokenworthError


def need(module: str, extra: str) -> Any:
    """Import a module of an extra, or say how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as absent:
        if absent.name and absent.name.partition(".")[0] != module.partition(".")[0]:
            raise
        mend = f"install the extra: pip install 'tokenworth[{extra}]'"
        raise TokenworthError(f"{module} is not installed", mend=mend, code="missing_extra") from None
