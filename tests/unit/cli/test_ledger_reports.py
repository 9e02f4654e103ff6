"""What an accountant and a customer ask of the ledger, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import START
from tests.support.lives import live
from tokenworth.cli import main
from tokenworth.store.sqlite.ledger import SqliteLedger

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run commands in a folder whose ledger has seen everything; returns exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    with SqliteLedger(Path("tokenworth.db"), clock=lambda: START) as ledger:
        live(ledger)

    def run(line: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as done:
            main(line.split())
        said = capsys.readouterr()
        return int(done.value.code or 0), said.out, said.err

    return run


def answer(shell: Shell, line: str) -> Any:
    code, out, err = shell(f"{line} --json")
    assert code == 0, err
    return json.loads(out)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ledger trial-balance", ["USD deferred 0 0.000000137 0.000000988 0.000000851", "USD total 0", "USD 0.000000951 0.000000851 0.000000085"]),
        ("ledger trial-balance --at 2026-09-21", ["before 2026-09-21T00:00:00Z, by when it took effect"]),
        ("ledger trial-balance --recorded --since 2026-09-22", ["from 2026-09-22T00:00:00Z", "by when it was recorded", "USD deferred 0.000000851"]),
        ("ledger trial-balance --format csv", ["USD,deferred,0,0.000000137,0.000000988,0.000000851"]),
        ("ledger trial-balance --format beancount", ["balance Liabilities:Deferred -0.000000851 ~ 0 USD"]),
        ("ledger history eve", ["void of a grant by kim: unpaid", "-0.000000054 bad 0.000000045"]),
        ("ledger history eve --until 2026-09-21", ["kind amount lot"]),
        ("ledger verify --deep", ["Verified: ", "4 corrections agree"]),
    ],
)
def test_reports_are_shown(shell: Shell, line: str, said: list[str]) -> None:
    code, out, err = shell(line)
    assert code == 0, err
    for expected in said:
        assert expected in " ".join(out.split()), out


def test_reports_as_data(shell: Shell) -> None:
    found = answer(shell, "ledger trial-balance")
    assert found["standing"] == [
        {
            "currency": "USD",
            "paid": "0.000000951",
            "deferred": "0.000000851",
            "earned": "0.000000085",
            "broken": "0.000000015",
            "promotional": "0.000000007",
        }
    ]
    assert [(each["unit"], each["opening"], each["closing"]) for each in found["totals"]] == [("USD", "0", "0"), ("credits", "0", "0")]
    assert answer(shell, "ledger trial-balance --at 2026-01-01")["accounts"] == []
    assert [each["kind"] for each in answer(shell, "ledger history cy")] == ["grant", "grant", "expire"]


@pytest.mark.parametrize("form", ["beancount", "csv"])
def test_the_journal_is_written_once(shell: Shell, form: str) -> None:
    code, out, _ = shell(f"export journal --format {form} --since 2026-09-01 --until 2026-10-01")
    assert (code, out.endswith(f" lines written to journal.{form}\n")) == (0, True)
    kept = Path(f"journal.{form}").read_bytes()
    code, _, err = shell(f"export journal --format {form}")
    assert (code, "exists" in err) == (2, True)
    assert Path(f"journal.{form}").read_bytes() == kept
    assert shell(f"export journal --format {form} --force")[0] == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ledger history nobody", "there is no customer nobody"),
        ("ledger history eve --since yesterday", "yesterday"),
        ("ledger trial-balance --at soon", "soon"),
        ("ledger trial-balance --db absent.db", "absent.db"),
        ("export journal --db absent.db", "absent.db"),
        ("export journal --until soon", "soon"),
    ],
)
def test_what_is_wrong_is_said(shell: Shell, line: str, said: str) -> None:
    code, _, err = shell(line)
    assert (code, said in err) == (2, True), err
    assert not Path("journal.beancount").exists()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ledger trial-balance --since 2026-12-01 --at 2026-11-01", "bad_period"),
        ("ledger trial-balance --since 2926-12-01", "bad_period"),
        ("ledger statement --since 2026-12-01 --until 2026-11-01", "bad_period"),
        ("ledger history eve --since 2026-12-01 --until 2026-11-01", "bad_period"),
        ("export events --since 2026-12-01 --until 2026-11-01", "bad_period"),
        ("export journal --since 2026-12-01 --until 2026-11-01", "bad_period"),
        ("ledger history nobody", "unknown_customer"),
        ("ledger notices nobody", "unknown_customer"),
    ],
)
def test_what_cannot_be_answered_is_refused(shell: Shell, line: str, code: str) -> None:
    failed, out, err = shell(f"{line} --json")
    assert (failed, out, json.loads(err)["error"]["code"]) == (2, "", code)


def test_before_all_there_was_nothing(shell: Shell) -> None:
    assert answer(shell, "ledger trial-balance --at 1970-01-01")["accounts"] == []
