"""`tokenworth init`: write a commented starter book."""

from pathlib import Path

import click

from tokenworth.book.starter import write_starter


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Write a commented starter book into DIR; nothing is replaced.

    It runs as it is: the simulated supplier needs no key and no network.
    """
    for path in write_starter(folder):
        click.echo(f"wrote {path}")
    click.echo(f"\nNext: tokenworth check {folder}    find mistakes and show margins\n      tokenworth serve {folder}    run the gateway")
