"""Options that several commands share."""

from pathlib import Path
from typing import Any

import click

from tokenworth.wiring.ledgers import Where, where_of


class Place(click.ParamType[Where]):
    """A file or a connection string."""

    name = "path or url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Where:
        """Return the place that a text names."""
        where = where_of(str(value))
        if isinstance(where, Path) and where.is_dir():
            self.fail(f"{where} is a directory", param, ctx)
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
