"""An operator's day on the command line: customers, credits and keys, what is shown of them, and what is refused without a trace."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.events import START, draft, settled
from tokenworth.book.starter import write_starter
from tokenworth.capture.commands import Hold, Settle
from tokenworth.cli import main
from tokenworth.core.money import NANO
from tokenworth.store.sqlite.ledger import SqliteLedger

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run commands in a folder of their own that holds the starter book; returns exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    write_starter(tmp_path / "shop")

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


def sell() -> None:
    """Sell acme 700 credits of output in one request."""
    event = draft(1, customer="acme")
    with SqliteLedger(Path("tokenworth.db"), clock=lambda: START) as ledger:
        ledger.submit_now([Hold(event, 900 * NANO, START + 60_000_000), Settle(settled(event, 700 * NANO, counts={"output": 7}, cost=NANO))])


def test_from_a_customer_to_a_statement(shell: Shell) -> None:
    assert answer(shell, "customers add acme --plan payg --book shop")["plan"] == "payg"
    assert answer(shell, "grants add acme 5000 --source paid --paid 50 --id first")["available"] == "5000"
    key = answer(shell, "keys add acme")
    sell()
    assert answer(shell, "ledger balance acme") == [
        {"customer": "acme", "unit": "credits", "balance": "4300", "held": "0", "debt": "0", "available": "4300"}
    ]
    (lot,) = answer(shell, "grants list acme")
    assert (lot["id"], lot["used"], lot["free"], lot["paid"]) == ("first", "700", "4300", "50")
    total = answer(shell, "ledger statement")["total"]
    # 700 of 5,000 credits that were sold for $50
    assert (total["charged"], total["revenue"], total["cost"], total["margin"]) == ("700", "7", "1", "6")
    assert answer(shell, "ledger statement --until 2026-01-01")["total"]["requests"] == 0
    assert key["secret"] not in json.dumps(answer(shell, "keys list"))
    assert answer(shell, f"keys revoke {key['id']}")["revoked"] > 0
    assert answer(shell, "ledger verify")["verified"] is True
    assert [each["id"] for each in answer(shell, "customers list")] == ["acme"]


def test_tables_show_the_same(shell: Shell) -> None:
    answer(shell, "customers add acme --plan payg --book shop")
    answer(shell, "grants add acme 5000 --paid 50 --id first")
    sell()
    for line, words in {
        "customers list": ["acme payg"],
        "grants list": ["first acme paid", "5000 50 700 0 4300"],
        "ledger balance": ["acme credits 4300 0 0 4300"],
        "ledger statement": ["output 7 100.0%", "chat 1 7 700.00 7.00 1.00 6.00 85.7", "Requests: 1 ok."],
        "ledger verify": ["Verified: "],
    }.items():
        code, out, _ = shell(line)
        assert code == 0
        for expected in words:
            assert expected in " ".join(out.split()), line


@pytest.mark.parametrize(("form", "read"), [("csv", "text"), ("jsonl", "text"), ("parquet", "parquet")])
def test_events_are_exported_once_and_never_over_a_file(shell: Shell, form: str, read: str) -> None:
    answer(shell, "customers add acme --plan payg --book shop")
    answer(shell, "grants add acme 5000")
    sell()
    assert shell(f"export events --format {form}")[:2] == (0, f"1 events written to events.{form}\n")
    path = Path(f"events.{form}")
    if read == "parquet":
        assert pq.read_table(path)["charge"].to_pylist() == [700 * NANO]
    else:
        assert str(700 * NANO) in path.read_text()
    kept = path.read_bytes()
    code, _, err = shell(f"export events --format {form}")
    assert (code, f"events.{form} exists" in err) == (2, True)
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("customers add acme --plan gold --book shop", "there is no plan gold"),
        ("customers add acme --plan payg", "name it: --book DIR"),
        ("grants add nobody 5", "nobody"),
        ("grants add ada 0.0000000001", "more than 9 decimals"),
        ("grants add ada -- -5", "at least zero"),
        ("grants add ada 6 --id start", "start"),
        ("grants add ada five", "five"),
        ("keys add nobody", "nobody"),
        ("keys revoke key_none", "key_none"),
        ("ledger balance --db absent.db", "absent.db"),
        ("ledger statement --since yesterday", "yesterday"),
        ("export events --db absent.db", "absent.db"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(shell: Shell, line: str, said: str) -> None:
    answer(shell, "customers add ada --plan payg --book shop")
    answer(shell, "grants add ada 5 --id start")
    before = [answer(shell, each) for each in ("customers list", "keys list", "grants list", "ledger verify")]
    code, out, err = shell(line)
    assert code == 2, out
    assert said in err
    assert "Traceback" not in err
    assert not Path("absent.db").exists()
    assert [answer(shell, each) for each in ("customers list", "keys list", "grants list", "ledger verify")] == before


def test_a_grant_repeated_under_its_id_is_given_once(shell: Shell) -> None:
    answer(shell, "customers add ada --plan payg --book shop")
    for _ in range(2):
        assert answer(shell, "grants add ada 5 --id start")["available"] == "5"
