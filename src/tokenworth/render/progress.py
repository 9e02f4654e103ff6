"""How far long work is, on a terminal's standard error; silent elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def phases(names: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """Give a function to be told each of the phases as it begins; the bar goes when the work is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(names))
        yield lambda name: bar.update(task, description=name, completed=names.index(name))
