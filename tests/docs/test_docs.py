"""The documentation is complete: every field, command, unit and error code that exists is told."""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tokenworth.cli import COMMANDS, cli
from tokenworth.core.units import UNITS
from tokenworth.measure.usage.dialects import APIS, DIALECTS, PROVIDERS

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_books_fields_are_those_of_the_schema() -> None:
    spec = importlib.util.spec_from_file_location("book_fields", ROOT / "scripts" / "book_fields.py")
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    text = (ROOT / "docs" / "book.md").read_text(encoding="utf-8")
    assert writer.page(text) == text, "run: .venv/bin/python scripts/book_fields.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_and_explains_itself(name: str) -> None:
    assert f"`{name}" in README
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    assert command.help


@pytest.mark.parametrize("name", UNITS)
def test_every_unit_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "measure.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("provider", "api"), DIALECTS)
def test_every_dialect_is_documented(provider: str, api: str) -> None:
    paragraphs = re.split(r"\n\n|\n\|", (ROOT / "docs" / "measure.md").read_text(encoding="utf-8"))
    assert any(f"`{provider}`" in text and f"`{api}`" in text for text in paragraphs)


@pytest.mark.parametrize("names", [PROVIDERS, APIS])
def test_other_names_of_providers_and_apis_are_documented(names: Mapping[str, str]) -> None:
    text = " ".join((ROOT / "docs" / "measure.md").read_text(encoding="utf-8").split())
    for other, name in names.items():
        assert re.search(rf"`{re.escape(other)}`( and `[^`]+`)? (is|are) `{re.escape(name)}`", text), other


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
