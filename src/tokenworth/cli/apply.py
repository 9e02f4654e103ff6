"""`tokenworth apply DIR`: put a book in force; running gateways follow."""

import json
from contextlib import closing
from pathlib import Path

import click

from tokenworth.cli.options import NamedPath, as_json, database
from tokenworth.core.instants import format_instant
from tokenworth.store.sqlite.books import apply_book, latest
from tokenworth.wiring.clock import now
from tokenworth.wiring.ledgers import Where, named, open_registry
from tokenworth.wiring.onboard import agree
from tokenworth.wiring.serving import check_units
from tokenworth.wiring.shop import open_shop


@click.command()
@click.argument("directory", metavar="DIR", type=NamedPath(exists=True, file_okay=False))
@database
@as_json
def command(directory: Path, db: Where, *, as_json: bool) -> None:
    """Put the book in DIR in force, once it is found as good as `serve` asks for.

    Gateways that run on the same ledger serve it to requests that come from then on, within a second or two; streams go on as they began. A gateway
    that cannot serve it, since the key of a supplier is not in its environment, says so in its log and goes on with the book before.
    """
    book = open_shop(directory).book
    with closing(open_registry(db)) as registry:
        check_units(book, db)
        before = latest(registry.db)
        moved = agree(book, db)
        version = apply_book(registry.db, book.id, book.files, now())
    again = before is not None and before.id == version.id
    if as_json:
        old = before.id if before else None
        click.echo(
            json.dumps({"book": version.id, "applied": format_instant(version.applied), "before": old, "changed": not again, "accounts": moved})
        )
        return
    if again:
        click.echo(f"book {version.id[:12]} is in force since {format_instant(version.applied)}; nothing changes in {named(db)}.")
        return
    instead = f" instead of {before.id[:12]}" if before else ""
    click.echo(f"book {version.id[:12]} is in force{instead} in {named(db)}. {moved} accounts have new terms.")
