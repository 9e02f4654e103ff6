"""Instants among a command's options."""

import click

from tokenworth.core.instants import parse_instant


def instant(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """Return the instant that an option names, else InstantError; None where it is absent."""
    del context, option
    return None if text is None else parse_instant(text)
