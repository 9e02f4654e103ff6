"""What an accountant and a customer are told, on every engine; beancount itself checks what is written for it."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.events import START, draft
from tests.support.lives import DAY, HOUR, SWEPT, live
from tokenworth.flows.accounting import Standing, TrialBalance, TrialLine
from tokenworth.flows.statement import Beyond
from tokenworth.render.accounts import history_data, journal_csv, trial_balance_csv
from tokenworth.render.beancount import account, beancount_lines, commodity, component, ledger_account, named, trial_balance_lines
from tokenworth.wiring.ledgers import Where, open_ledger, open_reader, verify

BEAN_CHECK = Path(sys.executable).parent / "bean-check"


@pytest.fixture
def lived(where: Where) -> Where:
    """A ledger in which everything happened; the expiry was written two days later."""
    moment = [START]
    with open_ledger(where, clock=lambda: moment[0]) as ledger:
        live(ledger, tell=lambda at: moment.__setitem__(0, at))
    return where


def trial(where: Where, **period: int | bool | None) -> TrialBalance:
    with open_reader(where) as reader:
        return reader.trial_balance(**period)  # type: ignore[arg-type]


def test_both_engines_prove_it(lived: Where) -> None:
    report = verify(lived)
    assert report.problems == []
    assert (report.accounts, report.lots, report.holds, report.events, report.corrections) == (5, 10, 11, 8, 4)


def test_the_trial_balance_now_is_what_the_proof_found(lived: Where) -> None:
    found = trial(lived)
    assert {(line.unit, line.account): line.closing for line in found.lines} == dict(verify(lived).balances)
    # by hand: 980 paid, 29 of it taken back; ada's 66 and bob's 33 credits at a half, 35 and 1 of eve's; cy's 15 expired; 7 was the cost of a gift
    assert found.standings == (Standing("USD", 951, 851, 85, 15, 7),)


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("since", [None, START, START + 3, SWEPT])
@pytest.mark.parametrize("until", [START, START + 1, START + 2, START + 6, START + HOUR + 1, None])
def test_every_unit_sums_to_zero_at_any_instant(lived: Where, since: int | None, until: int | None, recorded: bool) -> None:
    for total in trial(lived, since=since, until=until, recorded=recorded).totals:
        assert (total.opening, total.closing, total.debit - total.credit) == (0, 0, 0)


def test_what_closes_one_period_opens_the_next(lived: Where) -> None:
    for cut in (START + 1, START + 5, START + DAY):
        first, second, whole = trial(lived, until=cut), trial(lived, since=cut), trial(lived)
        closing = {(line.unit, line.account): line.closing for line in first.lines}
        assert {(line.unit, line.account): line.opening for line in second.lines if line.opening} == {k: v for k, v in closing.items() if v}
        assert [line.closing for line in second.lines] == [line.closing for line in whole.lines]


def test_expiry_counts_when_it_was_due_and_is_recorded_when_it_was_noticed(lived: Where) -> None:
    def breakage(**period: int | bool) -> int:
        return next((line.closing for line in trial(lived, **period).lines if line.account == "breakage"), 0)

    assert (breakage(until=START + HOUR), breakage(until=START + HOUR + 1)) == (0, 15)
    assert (breakage(until=SWEPT, recorded=True), breakage(until=SWEPT + 1, recorded=True)) == (0, 15)


def bean_check(path: Path) -> tuple[int, str]:
    run = subprocess.run([BEAN_CHECK, "--no-cache", path], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


@pytest.mark.parametrize("since", [None, START + 5, SWEPT])
def test_bean_check_accepts_the_journal_and_the_trial_balance(lived: Where, tmp_path: Path, since: int | None) -> None:
    with open_reader(lived) as reader:
        journal = list(beancount_lines(reader.journal(since=since)))
    for name, lines in {"journal": journal, "trial": list(trial_balance_lines(trial(lived, until=SWEPT)))}.items():
        path = tmp_path / f"{name}.beancount"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert bean_check(path) == (0, "")
    # it can fail: one nano-dollar less
    path = tmp_path / "journal.beancount"
    path.write_text(path.read_text().replace("balance Liabilities:Deferred  -0.000000851", "balance Liabilities:Deferred  -0.00000085"))
    code, said = bean_check(path)
    assert (code, "Balance failed" in said) == (1, True)


def test_the_journal_has_a_line_a_day_and_pair_of_accounts(lived: Where) -> None:
    with open_reader(lived) as reader:
        header, *rows = journal_csv(reader.journal())
    assert header == "day,unit,debit,credit,amount,postings"
    assert "2026-09-21,USD,deferred,revenue,0.000000093,7" in rows
    assert "2026-09-21,USD,deferred,breakage,0.000000015,1" in rows
    assert len({tuple(row.split(",")[:4]) for row in rows}) == len(rows)
    assert next(trial_balance_csv(trial(lived))) == "unit,account,opening,debit,credit,closing"


def test_signs_are_those_of_accountants(lived: Where) -> None:
    lines = list(trial_balance_lines(trial(lived, until=SWEPT)))
    for expected in (
        "  Assets:Payments  0.000000951 USD",
        "  Liabilities:Deferred  -0.000000851 USD",
        "  Income:Revenue  -0.000000085 USD",
        "  Income:Breakage  -0.000000015 USD",
        "  Expenses:Promotional  0.000000007 USD",
        "  Expenses:Cost  -0.000000007 USD",
        "  Liabilities:Credits:Ada  -0.000000934 CREDITS",
        "  Assets:Debt:Dan  0.00000003 CREDITS",
        "  Equity:Issued:Promotional  0.00000009 CREDITS",
    ):
        assert expected in lines


@given(st.text())
def test_a_customers_name_is_a_part_of_an_account_and_back(name: str) -> None:
    part = component(name)
    assert part.isascii()
    assert part[0].isupper() or part[0] == "0"
    assert part.replace("-", "").isalnum()
    assert named(part) == name
    assert ledger_account(account(f"wallet:{name}")) == f"wallet:{name}"


@given(st.text(max_size=9), st.text(max_size=9))
def test_two_customers_are_two_accounts(one: str, other: str) -> None:
    assert (component(one) == component(other)) == (one == other)


@pytest.mark.parametrize(
    ("unit", "money", "name"),
    [("USD", True, "USD"), ("credits", False, "CREDITS"), ("USD", False, "CREDITS.USD"), ("µ-coins", False, "U--COINSU"), ("c2", False, "C2")],
)
def test_units_are_commodities(unit: str, money: bool, name: str) -> None:
    assert commodity(unit, money=money) == name


def test_credits_that_are_money_are_told_from_the_money(tmp_path: Path) -> None:
    lines = (TrialLine("USD", "deferred", 0, 0, 5), TrialLine("USD", "issued:paid", 0, 7, 0), TrialLine("USD", "payments", 0, 5, 0))
    found = TrialBalance((*lines, TrialLine("USD", "wallet:x", 0, 0, 7)), None, START, recorded=False)
    path = tmp_path / "t.beancount"
    path.write_text("\n".join(trial_balance_lines(found)) + "\n")
    assert "0.000000007 CREDITS.USD" in path.read_text()
    assert bean_check(path) == (0, "")


def test_a_history_tells_all_that_moved_a_customers_credits(lived: Where) -> None:
    with open_reader(lived) as reader:
        eve = [history_data(line) for line in reader.history("eve")]
        dan = [history_data(line) for line in reader.history("dan")]
        part = list(reader.history("eve", since=START + 5, until=START + 7))
    first, second = draft(20, "eve").id, draft(21, "eve").id
    told = [(each["kind"], each["amount"], each["lot"], each["balance"], each["event"], each["what"]) for each in eve]
    assert told == [
        ("grant", "0.00000007", "soon", "0.00000007", "", "paid grant"),
        ("grant", "0.00000006", "bad", "0.00000013", "", "included grant"),
        ("use", "-0.00000004", "soon", "0.00000009", first, "use of chat at tier default"),
        ("refund", "0.000000015", "soon", "0.000000105", "", f"refund of {first} by kim: slow"),
        ("adjust", "-0.000000006", "soon", "0.000000099", "", "adjustment by kim: gave too much"),
        ("void", "-0.000000054", "bad", "0.000000045", "", "void of a grant by kim: unpaid"),
        ("use", "-0.000000039", "soon", "0.000000006", second, "use of chat at tier default"),
        ("use", "-0.000000002", "bad", "0.000000004", second, "use of chat at tier default"),
        ("void", "-0.000000004", "bad", "0", second, "void of a grant"),
    ]
    assert [(each["kind"], each["amount"], each["balance"], each["debt"]) for each in dan][-1] == ("owe", "-0.00000003", "0.00000003", "0.00000003")
    assert [line.kind for line in part] == ["refund", "adjust"]


def test_names_of_other_customers_are_not_theirs(lived: Where) -> None:
    with open_reader(lived) as reader:
        assert [reader.has_account(name) for name in ("eve", "ev", "")] == [True, False, False]
        assert list(reader.history("ev")) == []


def test_what_requests_came_to_beyond_their_holds(lived: Where) -> None:
    with open_reader(lived) as reader:
        found, later = reader.beyond(), reader.beyond(since=SWEPT)
    # dan's 70 of a hold of 10, and eve's 50 of 40, who is capped
    assert found == {"chat": Beyond(2, 60 + 10, 10)}
    assert later == {}
