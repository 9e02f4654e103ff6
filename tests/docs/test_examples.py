"""A page's examples in Python, and its commands, are executed in order, as one story: what they show is what comes out."""

import doctest
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tokenworth.cli import main

DOCS = Path(__file__).parent.parent.parent / "docs"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [page.name for page in sorted(DOCS.glob("*.md")) if re.search(r"^>>> ", page.read_text(encoding="utf-8"), re.MULTILINE)]


@pytest.mark.parametrize("name", PAGES)
def test_examples_show_what_comes_out(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    for kind, block in BLOCK.findall((DOCS / name).read_text(encoding="utf-8")):
        if kind == "python" and ">>> " in block:
            test = doctest.DocTestParser().get_doctest(block, known, name, name, 0)
            said: list[str] = []
            doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
            known = test.globs
            assert not said, "".join(said)
        elif block.startswith("$ "):
            assert list(commands(block, capsys)) == [part.rstrip() for part in block.split("\n") if part.rstrip() and not part.startswith("$ ")]


def commands(block: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Run the lines of a block that begin with a dollar; return what they print, without empty lines."""
    printed = ""
    for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        program, *words = line.split()
        if program == "tokenworth":
            with pytest.raises(SystemExit):
                main(words)
            printed += capsys.readouterr().out
        else:
            printed += Path(words[0]).read_text(encoding="utf-8")
    return [each.rstrip() for each in printed.splitlines() if each.rstrip()]


def test_the_journal_of_the_documentation_is_beancounts(tmp_path: Path) -> None:
    page = (DOCS / "ledger.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^\$ cat journal.beancount\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path = tmp_path / "journal.beancount"
    path.write_text(shown, encoding="utf-8")
    run = subprocess.run([Path(sys.executable).parent / "bean-check", "--no-cache", path], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
