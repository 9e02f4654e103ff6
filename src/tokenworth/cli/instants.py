"""Instants among a command's options."""

import click

from tokenworth.core.errors import InputError
from tokenworth.core.instants import format_instant, parse_instant


def instant(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """Return the instant that an option names, else InstantError; None where it is absent."""
    del context, option
    return None if text is None else parse_instant(text)


def need_order(since: int | None, until: int | None) -> None:
    """InputError where a period ends before it begins."""
    if since is not None and until is not None and until < since:
        what = f"the period ends at {format_instant(until)}, before it begins at {format_instant(since)}"
        raise InputError(what, mend="give an end that is not before its beginning", code="bad_period")
