"""Options and types of options that several commands share."""

import getpass
from pathlib import Path
from typing import Any

import click

from tokenworth.cli.instants import need_order
from tokenworth.core.instants import parse_instant
from tokenworth.wiring.ledgers import Where, where_of


class NamedPath(click.Path):
    """A path with a name: an empty one would mean the folder that one stands in."""

    def __init__(self, **more: Any) -> None:
        """Take what click.Path takes; values are pathlib's."""
        super().__init__(path_type=Path, **more)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or fail where it is empty."""
        if value == "":
            self.fail("the name is empty.", param, ctx)
        return super().convert(value, param, ctx)


class Place(click.ParamType[Where]):
    """A file or a connection string."""

    name = "path or url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Where:
        """Return the place that a text names, or fail where it is empty or a folder."""
        where = where_of(str(value))
        if value == "" or (isinstance(where, Path) and where.is_dir()):
            self.fail(f"{where} is a directory" if value else "the name is empty.", param, ctx)
        return where


database = click.option(
    "--db",
    type=Place(),
    default="tokenworth.db",
    envvar="TOKENWORTH_DB",
    show_default=True,
    show_envvar=True,
    help="The ledger's database: a SQLite file, or postgresql://...",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables; amounts are exact decimal text.")


def period(since: str | None, until: str | None) -> dict[str, int | None]:
    """Return the instants of --since and --until, None where one is absent; InputError where they are in the wrong order."""
    given = {"since": since, "until": until}
    found = {name: None if text is None else parse_instant(text) for name, text in given.items()}
    need_order(**found)
    return found


def said(context: click.Context, option: click.Parameter, given: Any) -> Any:
    """Return an option's text, or texts; BadParameter where one says nothing."""
    texts = given if isinstance(given, tuple) else () if given is None else (given,)
    if not all(text.strip() for text in texts):
        raise click.BadParameter("it is empty.", context, option)
    return given


PORT = click.IntRange(1, 65_535)


def user() -> str:
    """Return who runs the command, to be kept with what is corrected."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
