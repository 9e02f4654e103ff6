"""Did you mean: the nearest of the names that are known."""

from collections.abc import Iterable
from difflib import get_close_matches

DID_YOU_MEAN = "did you mean"
"""How a mend begins that names a near choice."""
SHOWN = 12
"""Longer lists of choices do not help."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a mend: the known name that is nearest, else the list of them."""
    choices = list(known)
    near = get_close_matches(str(name).lower(), [choice.lower() for choice in choices], n=1, cutoff=0.6)
    if near:
        meant = next(choice for choice in choices if choice.lower() == near[0])
        return f"{DID_YOU_MEAN} {meant}?"
    if not choices:
        return "none is declared yet"
    more = f", ... ({len(choices)} in all)" if len(choices) > SHOWN else ""
    return f"use one of {', '.join(choices[:SHOWN])}{more}"
