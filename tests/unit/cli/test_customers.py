"""A customer's own terms: beside its plan's, over a move and a start of the gateway, and refused without a trace."""

from pathlib import Path

import pytest

from tests.support.events import START, draft
from tests.unit.cli.test_operator import Shell, answer, shell
from tokenworth.book.load import load
from tokenworth.capture.commands import Hold, Reason, Refused
from tokenworth.capture.policy import Policy
from tokenworth.core.money import NANO
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.wiring.onboard import agree

__all__ = ["shell"]


def policies() -> dict[str, Policy]:
    with Reader(Path("tokenworth.db")) as reader:
        return dict(reader.policies())


def spend(number: int, amount: int) -> Refused | None:
    with SqliteLedger(Path("tokenworth.db"), clock=lambda: START) as ledger:
        (result,) = ledger.submit_now([Hold(draft(number, "acme"), amount * NANO, START + 60_000_000)])
    return result if isinstance(result, Refused) else None


def test_own_terms_hold_for_one_customer_and_stay(shell: Shell) -> None:
    for name in ("acme", "other"):
        answer(shell, f"customers add {name} --plan payg --book shop")
    told = answer(shell, "customers terms acme --book shop --credit-line 50 --budget account month 20")
    assert told["terms"] == {"credit line": "50", "overdraft": "all", "time zone": "UTC", "budget of account by the month": "20"}
    assert told["of_plan"] == {"credit line": "0", "overdraft": "all", "time zone": "UTC"}
    assert policies()["other"] == Policy()
    assert spend(1, 15) is None
    refused = spend(2, 6)
    assert refused is not None
    assert refused.reason is Reason.BUDGET_EXCEEDED
    # one option more keeps the others; a move and a start of the gateway keep them all
    answer(shell, "customers terms acme --book shop --time-zone Asia/Kolkata --budget account month 21")
    answer(shell, "customers move acme --plan pro --book shop")
    mine = policies()["acme"]
    assert (mine.credit_line, mine.zone, mine.budgets[-1].limit) == (50 * NANO, "Asia/Kolkata", 21 * NANO)
    assert agree(load(Path("shop")), Path("tokenworth.db")) == 0
    assert policies()["acme"] == mine
    answer(shell, "customers terms acme --book shop --as-plan")
    assert policies()["acme"] == load(Path("shop")).plans["pro"].policy


def test_terms_are_shown_beside_the_plans(shell: Shell) -> None:
    answer(shell, "customers add acme --plan payg --book shop")
    code, out, _ = shell("customers terms acme --book shop --overdraft 7.5")
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert code == 0
    assert ["credit", "line", "0", "0"] in lines
    assert ["overdraft", "all", "7.5", "own"] in lines


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("acme --time-zone Mars/North", "there is no time zone"),
        ("acme --budget team day 5", "a budget's subject is 'team'"),
        ("acme --credit-line -5", "amount -5"),
        ("acme --credit-line 99999999999", "too large"),
        ("nobody --credit-line 5", "there is no customer nobody"),
    ],
)
def test_what_cannot_be_changes_nothing(shell: Shell, line: str, said: str) -> None:
    answer(shell, "customers add acme --plan payg --book shop")
    code, _, err = shell(f"customers terms {line} --book shop")
    assert code != 0
    assert said in err
    assert policies() == {"acme": Policy()}
    assert answer(shell, "customers terms acme --book shop")["terms"]["credit line"] == "0"
