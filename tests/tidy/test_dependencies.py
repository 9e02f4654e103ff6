"""What the locks must hold: pins that no resolver knows, licences, a light base."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parent.parent.parent
LOCKS = ("bootstrap", "demo", "test")


def locked(name: str) -> dict[str, Version]:
    """Return versions by name of a lock."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return {found[1]: Version(found[2]) for found in re.finditer(r"^([a-z0-9._-]+)==([^ \\]+)", text, re.MULTILINE)}


@pytest.mark.parametrize("lock", ["demo", "test"])
def test_pins_that_no_resolver_knows(lock: str) -> None:
    versions = locked(lock)
    assert versions["duckdb"] < Version("2"), "DuckDB 2 breaks Ibis 12"
    assert versions["sqlglot"] < Version("30.18"), "sqlglot 30.18 breaks Ibis' create_table(obj=)"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_has_hashes(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    for block in re.split(r"\n(?=[a-z0-9])", text):
        if "==" in block:
            assert "--hash=sha256:" in block, block


def test_the_locks_agree() -> None:
    demo, test = locked("demo"), locked("test")
    assert {name: test.get(name) for name in demo} == demo


def test_the_base_is_light() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=\[ ]", each)[0] for each in project["dependencies"]}
    assert not names & {"ibis-framework", "duckdb", "pyarrow", "numpy", "pandas", "polars", "matplotlib", "scipy"}


@pytest.mark.parametrize("name", sorted(locked("demo")))
def test_nothing_that_ships_is_under_a_copyleft_licence(name: str) -> None:
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return  # for another platform
    fields = ("Classifier", "License-Expression", "License")
    stated = " ".join(text[:80] for field in fields for text in found.get_all(field) or [])
    assert not re.search(r"\b(A?GPL|GNU (Affero )?General)", stated.replace("LGPL", "")), stated
