"""Tables for people: columns that line up, numbers to the right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; numbers are aligned right."""

    title: str
    number: bool = False


def print_table(title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, console: Console | None = None) -> None:
    """Print a table; wide ones are not wrapped when the output is not a terminal."""
    out = console or Console()
    if not out.is_terminal:
        out = Console(file=out.file, width=200)
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.title, justify="right" if column.number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    out.print(table)
