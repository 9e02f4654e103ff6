"""Grants with terms, and what mends them, on the command line: each entry names who and why, and nothing recorded changes."""

import getpass
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import START, draft, settled
from tokenworth.book.load import load
from tokenworth.book.starter import write_starter
from tokenworth.capture.commands import Hold, Settle
from tokenworth.cli import main
from tokenworth.core.money import NANO
from tokenworth.store.sqlite.books import apply_book
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.wiring.ledgers import open_registry

Shell = Callable[..., Any]
PLAN = """
low_balance = ["100", "20"]
time_zone = "Europe/Berlin"

[plans.payg.top_up]
below = "50"
amount = "1000"
paid = "10"
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run commands with --json in a folder whose book tells of low balances; returns their JSON, or the error of those that fail."""
    monkeypatch.chdir(tmp_path)
    write_starter(tmp_path / "shop")
    plans = tmp_path / "shop" / "plans.toml"
    plans.write_text(plans.read_text().replace("\n[plans.pro]", f"{PLAN}\n[plans.pro]"))

    def run(line: str, why: str = "") -> Any:
        words = [*line.split(), *(["--why", why] if why else []), "--json"]
        with pytest.raises(SystemExit) as done:
            main(words)
        said = capsys.readouterr()
        return json.loads(said.err)["error"] if done.value.code else json.loads(said.out)

    return run


def sell(charge: int, number: int = 1) -> str:
    event = draft(number, customer="acme")
    with SqliteLedger(Path("tokenworth.db"), clock=lambda: START) as ledger:
        ledger.submit_now([Hold(event, charge * NANO, START + 60_000_000), Settle(settled(event, charge * NANO))])
    return event.id


def test_a_grant_has_terms(shell: Shell) -> None:
    shell("customers add acme --plan payg --book shop")
    terms = "--priority 2 --from 2026-01-01 --expires 2027-01-01 --product chat --tier flex --tier default"
    shell(f"grants add acme 500 --source included --paid 5 --id jan {terms}", "the plan's")
    (lot,) = shell("grants list acme")
    assert {name: lot[name] for name in ("priority", "effective", "expiry", "products", "tiers", "state", "who", "why")} == {
        "priority": 2,
        "effective": "2026-01-01T00:00:00Z",
        "expiry": "2027-01-01T00:00:00Z",
        "products": ["chat"],
        "tiers": ["flex", "default"],
        "state": "active",
        "who": getpass.getuser(),
        "why": "the plan's",
    }
    # it buys only some things, so it is not available for any
    assert shell("ledger balance acme")[0]["available"] == "0"
    assert shell("grants add acme 500 --id old --expires 2020-01-01")["code"] == "bad_amount"
    assert shell("grants add acme 500 --id big --priority 99999999999999999999")["code"] == "bad_amount"
    # 0 is what an absent instant is, which would be for ever
    for date in ("1970-01-01", "1969-12-31"):
        assert shell(f"grants add acme 500 --id old --expires {date}")["code"] == "bad_instant"
        assert shell(f"grants add acme 500 --id old --from {date}")["code"] == "bad_instant"
    assert shell("grants add acme 500 --id jan --paid 4")["code"] == "conflict"


def test_a_pending_grant_counts_once_it_is_confirmed_and_only_once(shell: Shell) -> None:
    shell("customers add acme --plan payg --book shop")
    assert shell("grants add acme 500 --paid 5 --id invoice-1 --pending")["available"] == "0"
    for _ in range(2):
        assert shell("grants confirm invoice-1")["available"] == "500"
    shell("grants add acme 500 --paid 5 --id invoice-2 --pending")
    assert shell("grants cancel invoice-2")["available"] == "500"
    assert shell("grants confirm invoice-2")["code"] == "grant_closed"
    assert shell("grants confirm invoice-3")["code"] == "unknown_grant"


def test_what_is_left_of_a_grant_is_taken_back(shell: Shell) -> None:
    shell("customers add acme --plan payg --book shop")
    shell("grants add acme 500 --paid 5 --id typo")
    sell(200)
    for _ in range(2):
        assert shell("grants void typo", "meant for another")["available"] == "0"
    lot = next(each for each in shell("grants list acme") if each["id"] == "typo")
    assert (lot["state"], lot["used"], lot["gone"]) == ("void", "200", "300")
    balances = {each["account"]: each["balance"] for each in shell("ledger verify")["balances"]}
    # $2 of the $5 were earned, $3 are owed back: payments stand at the $2 that remain
    assert (balances["revenue"], balances["deferred"], balances["payments"]) == ("2", "0", "-2")


def test_refunds_and_adjustments(shell: Shell) -> None:
    shell("customers add acme --plan payg --book shop")
    shell("grants add acme 500 --paid 5 --id g")
    event = sell(200)
    assert shell(f"ledger refund {event} --amount 50 --id r1", "half was wrong")["available"] == "350"
    assert shell(f"ledger refund {event} --amount 50 --id r1", "half was wrong")["available"] == "350"
    assert shell(f"ledger refund {event} --id r2", "all was wrong")["available"] == "500"
    assert shell(f"ledger refund {event} --id r3", "again")["code"] == "bad_amount"
    for nothing in (f"ledger refund {event} --id=", "ledger adjust acme 25 --id=", "grants add acme 25 --id="):
        refused = shell(nothing, "why")
        assert (refused["code"], refused["mend"]) == ("bad_id", "use letters, digits and - _ . : only")
    assert shell("ledger adjust acme 25 --id a1", "sorry")["available"] == "525"
    assert shell("ledger adjust acme 5 --take --id a2 --corrects a1", "too much")["available"] == "520"
    assert shell("ledger adjust acme 521 --take", "more than there is")["code"] == "insufficient_credits"
    verified = shell("ledger verify")
    assert verified["verified"] is True
    assert {each["account"]: each["balance"] for each in verified["balances"]}["revenue"] == "0"


def test_notices_are_told_once_a_crossing_and_a_top_up_is_asked_for_once(shell: Shell) -> None:
    shell("customers add acme --plan payg --book shop")
    shell("grants add acme 200 --paid 2")
    for number, charge in enumerate((90, 20, 50, 30), start=1):
        sell(charge, number)
    told = shell("ledger notices acme")
    assert [(each["kind"], each["subject"], each["left"]) for each in told] == [
        ("low_balance", "100", "90"),
        ("top_up", "top-up-acme/1", "40"),
        ("low_balance", "20", "10"),
    ]
    assert shell("grants confirm top-up-acme/1")["available"] == "1010"
    assert len(shell("ledger notices")) == 3


def test_a_customer_moves_to_another_plan(shell: Shell) -> None:
    shell("customers add acme --plan pro --book shop")
    shell("grants add acme 90 --paid 1")
    assert shell("customers move acme --plan payg --book shop")["plan"] == "payg"
    sell(1)
    assert [each["subject"] for each in shell("ledger notices")] == ["100"]
    assert "tokenworth customers move acme --plan pro" in shell("customers add acme --plan pro --book shop")["mend"]
    assert shell("customers move acme --plan gold --book shop")["code"] == "bad_input"
    assert shell("customers move nobody --plan payg --book shop")["code"] == "bad_input"


def test_a_key_is_for_a_project(shell: Shell) -> None:
    shell("customers add acme --plan payg --book shop")
    assert shell("keys add acme --project search")["project"] == "search"
    assert [each["project"] for each in shell("keys list acme")] == ["search"]
    assert shell("keys add acme --project a/b")["code"] == "bad_id"


def test_who_cannot_be_moved_stays(shell: Shell) -> None:
    shell("customers add acme --plan payg --book shop")
    book = Path("shop/book.toml")
    book.write_text(book.read_text().replace('unit = "credits"', 'unit = "tokens"'))
    refused = shell("customers move acme --plan pro --book shop")
    assert (refused["code"], "acme has an account in credits and USD" in refused["what"]) == ("conflict", True)
    assert [each["plan"] for each in shell("customers list")] == ["payg"]


def test_what_is_not_free_is_told_in_units(shell: Shell) -> None:
    shell("customers add acme --plan payg --book shop")
    refused = shell("ledger adjust acme 500 --take", "too much")
    assert (refused["code"], refused["what"]) == ("insufficient_credits", "500 are not free, 0 are available")


def test_what_is_not_served_is_warned_of(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell("customers add acme --plan payg --book shop")
    book = load(Path("shop"))
    with closing(open_registry(Path("tokenworth.db"))) as registry:
        apply_book(registry.db, book.id, book.files, START)
    plans = Path("shop/plans.toml")
    plans.write_text(plans.read_text() + '\n[plans.vip]\ncard = "standard"\ncredit_price = "0.01"\n')
    for plan, warned in (("vip", True), ("pro", False)):
        with pytest.raises(SystemExit) as done:
            main(["customers", "move", "acme", "--plan", plan, "--book", "shop"])
        assert (done.value.code, f"no plan {plan}" in capsys.readouterr().err) == (0, warned)
    with pytest.raises(SystemExit) as done:
        main(["grants", "add", "acme", "5", "--product", "chat", "--product", "chatt", "--tier", "default", "--tier", "slow"])
    assert (done.value.code, capsys.readouterr().err.splitlines()) == (
        0,
        ["warning: the book last served has no product chatt", "warning: the book last served has no tier slow"],
    )


def test_the_statement_tells_of_corrections(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell("customers add acme --plan pro --book shop")
    shell("grants add acme 100 --paid 1")
    event = sell(50)
    shell(f"ledger refund {event} --id all", "wrong")
    shell("ledger adjust acme 7 --id plus", "sorry")
    shell("ledger adjust acme 3 --take --id minus", "too much")
    told = shell("ledger statement")
    assert told["total"]["revenue"] == "0.5"
    assert told["corrections"] == {"refunded": "50", "repaid": "0", "given": "7", "taken": "3", "revenue": "-0.5"}
    (standing,) = shell("ledger trial-balance")["standing"]
    assert standing["earned"] == "0"
    with pytest.raises(SystemExit):
        main(["ledger", "statement"])
    said = " ".join(capsys.readouterr().out.split())
    assert "50 refunded, 0 repaid, 7 given, 3 taken; revenue changed by -0.5" in said


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ledger", "refund", "e", "--why", ""], "usage"),
        (["ledger", "adjust", "acme", "1", "--why", " "], "usage"),
        (["grants", "void", "g", "--why", ""], "usage"),
        (["grants", "add", "acme", "5", "--product", ""], "usage"),
        (["grants", "add", "acme", "5", "--tier", ""], "usage"),
        (["grants", "add", "acme", "5", "--expires", "2001-01-01"], "bad_amount"),
    ],
)
def test_what_says_nothing_is_refused(shell: Shell, capsys: pytest.CaptureFixture[str], words: list[str], code: str) -> None:
    shell("customers add acme --plan payg --book shop")
    with pytest.raises(SystemExit) as done:
        main([*words, "--json"])
    assert (done.value.code, json.loads(capsys.readouterr().err)["error"]["code"]) == (2, code)
