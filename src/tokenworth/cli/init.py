"""`tokenworth init`: write a commented starter book."""

import json
from pathlib import Path

import click

from tokenworth.book.starter import write_starter
from tokenworth.cli.options import NamedPath, as_json


@click.command()
@click.argument("folder", metavar="DIR", type=NamedPath())
@as_json
def command(folder: Path, *, as_json: bool) -> None:
    """Write a commented starter book into DIR; nothing is replaced.

    It runs as it is: the simulated supplier needs no key and no network.
    """
    written = write_starter(folder)
    if as_json:
        click.echo(json.dumps({"files": list(map(str, written))}))
        return
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"\nNext: tokenworth check {folder}    find mistakes and show margins\n      tokenworth serve {folder}    run the gateway")
