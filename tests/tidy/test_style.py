"""The style guide, walked over the source; reasoned exceptions stand in `exceptions.toml`, and none may be stale."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy import rules

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "tokenworth"
EXACT = ("core", "measure/usage", "price", "capture")
EXCEPTIONS: dict[str, str] = tomllib.loads((Path(__file__).parent / "exceptions.toml").read_text())


def findings(rule: rules.Rule, *folders: Path) -> Iterator[str]:
    """Yield `path:line: what is wrong` for every module below the folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            for line, what in rule(ast.parse(source), source):
                yield f"{path.relative_to(ROOT)}:{line}: {what}"


def excused(finding: str) -> bool:
    path, _, rest = finding.partition(":")
    return any(path == place.partition(" ")[0] and place.partition(" ")[2] in rest for place in EXCEPTIONS)


@pytest.mark.parametrize("name", rules.SAMPLES)
def test_each_rule_refuses_its_sample(name: str) -> None:
    rule, sample = rules.SAMPLES[name]
    assert list(rule(ast.parse(sample), sample))


@pytest.mark.parametrize(
    ("rule", "folders"),
    [
        (rules.no_float, [SOURCE / folder for folder in EXACT]),
        (rules.public_docstrings, [SOURCE / folder for folder in EXACT]),
        (rules.sizes, [SOURCE]),
        (rules.documented, [SOURCE, ROOT / "tests", ROOT / "benchmarks"]),
        (rules.no_skips, [ROOT / "tests"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_source_keeps_the_rules(rule: rules.Rule, folders: list[Path]) -> None:
    found = [finding for finding in findings(rule, *folders) if not excused(finding)]
    assert not found, "\n".join(found)


def test_no_exception_is_stale() -> None:
    found = [*findings(rules.sizes, SOURCE), *findings(rules.no_float, *(SOURCE / folder for folder in EXACT))]
    stale = [p for p in EXCEPTIONS if not any(f.startswith(p.partition(" ")[0]) and p.partition(" ")[2] in f for f in found)]
    assert not stale, f"no longer needed: {stale}"


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_file_names_an_index_or_a_machine() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted", "/sim" + "ple/", "index" + "-url =", "/wo" + "rk/", "/ro" + "ot/"]
    found = []
    for path in tracked():
        if not path.is_file() or path.suffix in {".gz", ".png"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            found += [f"{path.relative_to(ROOT)}:{number}: {word}" for word in hosts if word in line]
    assert not found, "\n".join(found)
