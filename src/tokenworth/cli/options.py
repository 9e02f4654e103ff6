"""Options and types of options that several commands share."""

from pathlib import Path
from typing import Any

import click

from tokenworth.core.instants import parse_instant


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


database = click.option(
    "--db",
    type=NamedPath(dir_okay=False),
    default="tokenworth.db",
    envvar="TOKENWORTH_DB",
    show_default=True,
    show_envvar=True,
    help="The ledger's database file.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables; amounts are exact decimal text.")


def period(since: str | None, until: str | None) -> dict[str, int | None]:
    """Return the instants of --since and --until, None where one is absent."""
    given = {"since": since, "until": until}
    return {name: None if text is None else parse_instant(text) for name, text in given.items()}


PORT = click.IntRange(1, 65_535)
