"""Tables for people: names as they are, numbers whole."""

import io

from rich.console import Console

from tokenworth.render.tables import Column, print_table

COLUMNS = [Column("name"), Column("cost", number=True)]


def printed(rows: list[list[str]], *, width: int, terminal: bool) -> str:
    out = io.StringIO()
    print_table("", COLUMNS, rows, console=Console(file=out, width=width, force_terminal=terminal, color_system=None))
    return out.getvalue()


def test_a_bracket_in_a_name_is_no_style() -> None:
    assert "gpt[red]x[/nope]" in printed([["gpt[red]x[/nope]", "1"]], width=80, terminal=False)


def test_on_a_narrow_terminal_names_fold_and_numbers_stay_whole() -> None:
    shown = printed([["a-very-long-name-of-a-model", "0.00072812"]], width=30, terminal=True)
    assert "0.00072812" in shown
    assert "…" not in shown
    below = shown.rpartition("─")[2]
    assert "".join(row.split()[0] for row in below.splitlines() if row.strip()) == "a-very-long-name-of-a-model"


def test_where_there_is_no_terminal_nothing_folds() -> None:
    assert "a-very-long-name-of-a-model" in printed([["a-very-long-name-of-a-model", "1"]], width=20, terminal=False)
