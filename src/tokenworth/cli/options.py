"""Options that several commands share."""

from pathlib import Path

import click

database = click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default="tokenworth.db",
    envvar="TOKENWORTH_DB",
    show_default=True,
    show_envvar=True,
    help="The ledger's database file.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables; amounts are exact decimal text.")
