"""Write the table of the book's fields into docs/book.md from the schema, so that the documentation cannot fall behind.

Run it after a change of `book/schema.py`: `.venv/bin/python scripts/book_fields.py`. A test fails until it was run.
"""

from collections.abc import Iterator
from pathlib import Path

from tokenworth.book.schema import ROWS, SECTIONS, BookTable, Table
from tokenworth.core.units import UNITS

PAGE = Path(__file__).parent.parent / "docs" / "book.md"
START, END = "<!-- fields: written by scripts/book_fields.py -->\n", "<!-- end of fields -->\n"


def fields(table: type[Table]) -> Iterator[str]:
    """Yield a Markdown row for each field but rates by unit, which are many and alike, and tables inside."""
    inside = {name for owner, name in ROWS if owner is table}
    for name, field in table.model_fields.items():
        if name in UNITS or name in inside:
            continue
        stated = "required" if field.is_required() else "" if field.default in (None, "", []) else f"default `{field.default}`"
        yield f"| `{field.alias or name}` | {field.description} | {stated} |"


def section(table: type[Table]) -> Iterator[str]:
    """Yield a table's heading, its fields, and the tables inside it."""
    yield f"\n### {(table.__doc__ or '').splitlines()[0]}\n"
    yield "| field | | |"
    yield "|---|---|---|"
    yield from fields(table)
    if any(name in UNITS for name in table.model_fields):
        yield f"| a unit | {table.model_fields['input'].description.replace('input', 'the unit')} |  |"  # type: ignore[union-attr]
    for (owner, _), inner in ROWS.items():
        if owner is table:
            yield from section(inner)


def page(text: str) -> str:
    """Return the page with its generated part made anew."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    lines = [line for table in (BookTable, *SECTIONS.values()) for line in section(table)]
    return before + START + "\n".join(lines) + "\n\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
