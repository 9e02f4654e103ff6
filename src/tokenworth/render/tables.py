"""Tables for people: columns that line up, numbers to the right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; numbers are aligned right."""

    title: str
    number: bool = False


def print_table(title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, console: Console | None = None) -> None:
    """Print a table. On a narrow terminal text is folded, so that numbers stay whole; elsewhere there is room."""
    out = console or Console()
    if not out.is_terminal:
        out = Console(file=out.file, width=200)
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.title, justify="right" if column.number else "left", no_wrap=column.number, overflow="fold")
    for row in rows:
        # names come from files and people: a bracket in one is no style
        table.add_row(*map(escape, row))
    out.print(table)
