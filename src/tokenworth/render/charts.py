"""Charts: one definition, drawn as PNG or SVG, or written as an HTML page that holds its scripts and asks no network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenworth.core.errors import InputError
from tokenworth.core.extras import need

FORMS = (".png", ".svg", ".html")
WIDTH, HEIGHT = 720, 440


def need_form(file: Path) -> None:
    """Refuse a file whose name is of no form that charts have."""
    if file.suffix not in FORMS:
        raise InputError(f"{file} is of no form that charts have", mend=f"end its name in {', '.join(FORMS)}", code="bad_form")


def save(chart: Any, file: Path) -> None:
    """Write an Altair chart in the form that the file's name ends in."""
    need_form(file)
    if file.suffix == ".html":
        chart.interactive().save(str(file), inline=True)
    else:
        # scale: PNG at twice the pixels of a screen
        chart.save(str(file), **({"scale_factor": 2} if file.suffix == ".png" else {}))


def curves(lines: Sequence[Mapping[str, Any]], marks: Sequence[Mapping[str, Any]], axes: tuple[str, str], title: str) -> Any:
    """Return a chart of `lines` (x, y, series) with `marks` on them (x, y, series, and whatever is told when one points at them).

    `axes` are their titles; y is logarithmic.
    """
    alt = need("altair", "analytics")
    x = alt.X("x:Q", title=axes[0], scale=alt.Scale(zero=False))
    y = alt.Y("y:Q", title=axes[1], scale=alt.Scale(type="log", nice=False))
    color = alt.Color("series:N", title=None, legend=alt.Legend(orient="bottom", columns=2, labelLimit=420))
    told = [alt.Tooltip(f"{name}:{'Q' if isinstance(value, int | float) else 'N'}") for name, value in marks[0].items()] if marks else []
    line = alt.Chart(alt.Data(values=list(lines))).mark_line().encode(x=x, y=y, color=color, detail="series:N")
    points = alt.Chart(alt.Data(values=list(marks))).mark_point(filled=True, size=45).encode(x=x, y=y, color=color, tooltip=told)
    return alt.layer(line, points).properties(width=WIDTH, height=HEIGHT, title=title)
