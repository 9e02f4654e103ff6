"""An operator's day on the command line: customers, credits and keys, what is shown of them, and what is refused without a trace."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.events import START, draft, settled
from tokenworth.book.starter import write_starter
from tokenworth.capture.commands import Hold, Settle
from tokenworth.cli import main
from tokenworth.core.instants import format_instant, parse_instant
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
            main(line.split(" "))
        said = capsys.readouterr()
        return int(done.value.code or 0), said.out, said.err

    return run


def answer(shell: Shell, line: str) -> Any:
    code, out, err = shell(f"{line} --json")
    assert code == 0, err
    return json.loads(out)


def test_a_key_of_ones_own_is_listed_and_revoked(shell: Shell) -> None:
    answer(shell, "customers add acme --plan payg --book shop")
    answer(shell, "keys add acme")
    key = answer(shell, "keys add-own ingest --name eu")
    assert key["scope"] == "ingest"
    assert [each.get("scope") for each in answer(shell, "keys list")] == [None, "ingest"]
    assert [each.get("scope") for each in answer(shell, "keys list acme")] == [None]
    assert key["secret"] not in shell("keys list")[1]
    assert answer(shell, f"keys revoke {key['id']}")["revoked"]
    assert shell("keys add-own root")[0] == 2


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
    assert [each["revoked"] for each in answer(shell, "keys list acme")] == [None]
    for revoked in (answer(shell, f"keys revoke {key['id']}")["revoked"], answer(shell, "customers list")[0]["created"]):
        assert revoked == format_instant(parse_instant(revoked))
    assert answer(shell, "ledger verify")["verified"] is True
    assert [each["id"] for each in answer(shell, "customers list")] == ["acme"]


def test_tables_show_the_same(shell: Shell) -> None:
    answer(shell, "customers add acme --plan payg --book shop")
    answer(shell, "grants add acme 5000 --paid 50 --id first")
    sell()
    for line, words in {
        "customers list": ["acme payg"],
        "grants list": ["first acme paid", "5000 50 700 0 0 4300"],
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
    assert answer(shell, f"export events --format {form} --force") == {"events": 1, "file": f"events.{form}", "format": form}
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
        ("grants add ada 1e3", "not a plain decimal"),
        ("grants add ada 1_000", "not a plain decimal"),
        ("grants add ada \uff15", "not a plain decimal"),
        ("grants add ada 0", "give more than 0"),
        ("grants add ada 9999999999", "9223372036 is the most"),
        ("grants add ada 9223372035", "no balance passes"),
        ("grants add ada 5 --source promotional --paid 1000", "leave out --paid"),
        ("grants add ada 5 --source goodwill --paid 1", "leave out --paid"),
        ("grants add ada 5 --id=", "cannot be an id"),
        ("grants add ada 5 --id a\u2028b", "cannot be an id"),
        ("ledger balance nobody", "there is no customer nobody"),
        ("grants list nobody", "there is no customer nobody"),
        ("keys list nobody", "there is no customer nobody"),
        ("customers list --db absent.db", "there is no ledger at absent.db"),
        ("keys list --db absent.db", "there is no ledger at absent.db"),
        ("keys add ada --db absent.db", "there is no ledger at absent.db"),
        ("keys revoke key --db absent.db", "there is no ledger at absent.db"),
        ("customers list --db=", "the name is empty"),
        ("init shop/book.toml/sub", "name a folder where you may write"),
        ("init /proc/x", "name a folder where you may write"),
        ("init", "DIR"),
        ("check shop --at=", "not a date"),
        ("serve shop --port 99999", "--port"),
        ("serve shop --port -1", "--port"),
        ("simulate --port 70000", "--port"),
        ("simulate --speed -5", "--speed"),
        ("demo --seconds nan", "--seconds"),
        ("demo --seconds inf", "--seconds"),
        ("demo --keep shop", "name a new folder"),
        ("export events --out nowhere/x.parquet", "there is no folder nowhere"),
        ("export events --out . --force", "is a folder"),
        ("export events --out tokenworth.db --force", "is the ledger itself"),
        ("export events --out shop/../tokenworth.db-wal --force", "is the ledger itself"),
        ("nonsense", "nonsense"),
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
    code, _, err = shell(f"{line} --json")
    if "No such option" not in err:
        assert json.loads(err)["error"].keys() == {"code", "what", "mend"}
    assert not Path("absent.db").exists()
    assert [answer(shell, each) for each in ("customers list", "keys list", "grants list", "ledger verify")] == before


def test_a_statement_of_nothing_is_one_line(shell: Shell) -> None:
    answer(shell, "customers add ada --plan payg --book shop")
    assert shell("ledger statement") == (0, "No requests.\n", "")


def test_a_bad_book_is_told_as_json_where_json_was_asked_for(shell: Shell) -> None:
    Path("shop/plans.toml").write_text("")
    code, _, err = shell("customers add ada --plan payg --book shop --json")
    assert (code, json.loads(err)["error"]["code"]) == (2, "bad_book")
    assert json.loads(err)["error"]["problems"][0]["mend"]


def test_an_output_that_is_full_is_said_and_one_that_nobody_reads_is_not(shell: Shell) -> None:
    answer(shell, "customers add ada --plan payg --book shop")
    command = f"{sys.executable} -m tokenworth customers list --json"
    full = subprocess.run(f"{command} > /dev/full", shell=True, capture_output=True, text=True, check=False)
    assert (full.returncode, json.loads(full.stderr)["error"]["code"]) == (1, "io")
    unread = subprocess.run(f"{command} | true", shell=True, capture_output=True, text=True, check=False)
    assert unread.stderr == ""


def test_a_grant_repeated_under_its_id_is_given_once(shell: Shell) -> None:
    answer(shell, "customers add ada --plan payg --book shop")
    for _ in range(2):
        assert answer(shell, "grants add ada 5 --id start")["available"] == "5"
