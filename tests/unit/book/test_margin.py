"""Margins: the cheapest plan, the dates, the bands. Expected values are worked out by hand from the rates in the text."""

from fractions import Fraction

import pytest

from tokenworth.book.guard import Report, check_margins
from tokenworth.book.load import load_files
from tokenworth.book.margin import worth
from tokenworth.core.instants import parse_instant

AT = parse_instant("2026-06-01")
BOOK = """
[book]
name = "Shop"
[suppliers.sim]
kind = "simulated"
[models.m]
supplier = "sim"
name = "m-1"
context = 300000
max_output = 4000
[products.chat]
model = "m"
[plans.payg]
card = "standard"
credit_price = "0.01"
[plans.pro]
card = "standard"
fee = "20"
included = "2500"
credit_price = "0.009"
"""
COST = """
[[models.m.cost]]
from = 2026-01-01
input = "1"
cache_read = "0.1"
output = "4"
"""
CARD = """
[[cards.standard.rates]]
product = "chat"
from = 2026-01-01
input = "250"
cache_read = "25"
output = "1000"
"""


def check(*texts: str) -> Report:
    book = load_files({"book.toml": "".join((BOOK, *texts))})
    return check_margins(book, book.costs, AT)


def codes(report: Report) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.field, problem.severity) for problem in report.problems]


def test_a_rate_is_worth_what_the_cheapest_plan_makes_of_it() -> None:
    report = check(CARD, COST)
    # 250 credits at 20 / 2500 = 0.008 are 2.00 a million, which cost 1.00
    assert [(r.unit, r.worth.plan, int(r.price), r.cost, r.margin) for r in report.rows] == [
        ("input", "pro", 2_000_000, 1_000_000, Fraction(1, 2)),
        ("cache_read", "pro", 200_000, 100_000, Fraction(1, 2)),
        ("output", "pro", 8_000_000, 4_000_000, Fraction(1, 2)),
    ]
    assert report.problems == ()


@pytest.mark.parametrize(
    ("plan", "value"),
    [
        ('fee = "20"\nincluded = "1000"\ncredit_price = "0.01"', Fraction(1, 100)),
        ('fee = "20"\nincluded = "3000"\ncredit_price = "0.01"', Fraction(1, 150)),
        ('included = "3000"\ncredit_price = "0.02"', Fraction(1, 50)),
        ('included = "3000"', None),
    ],
)
def test_credits_that_are_given_away_do_not_count(plan: str, value: Fraction | None) -> None:
    text = BOOK.split("[plans.payg]", maxsplit=1)[0] + f'[plans.one]\ncard = "standard"\n{plan}\n'
    book = load_files({"book.toml": text + CARD + COST})
    found = worth(book, "standard")
    assert (found.value if found else None) == value
    assert [p.code for p in check_margins(book, book.costs, AT).problems] == ([] if value else ["no_worth"])


def test_a_unit_that_is_the_currency_is_worth_one_or_less() -> None:
    text = BOOK.replace('name = "Shop"', 'name = "Shop"\nunit = "USD"').split("[plans.payg]")[0]
    book = load_files({"book.toml": text + '[plans.flat]\ncard = "standard"\n' + CARD + COST})
    assert check_margins(book, book.costs, AT).rows[0].price == 250_000_000
    book = load_files({"book.toml": text + '[plans.flat]\ncard = "standard"\nfee = "20"\nincluded = "25"\n' + CARD + COST})
    assert check_margins(book, book.costs, AT).rows[0].price == 200_000_000


def test_below_cost_is_an_error_with_its_place_and_the_least_rate() -> None:
    report = check(CARD.replace('"250"', '"124.999999"'), COST)
    (problem,) = report.problems
    assert (problem.code, problem.line) == ("below_cost", (BOOK + CARD).split("\n").index('input = "250"') + 1)
    assert "ask at least 125," in problem.mend
    assert report.worst == report.rows[0]
    assert check(CARD.replace('"250"', '"125"'), COST).problems == ()


def test_a_loss_leader_is_named_and_is_not_the_worst() -> None:
    report = check(CARD.replace('"250"', '"100"') + 'loss_leader = "to win them"\n', COST)
    assert report.problems == ()
    assert [(row.unit, row.loss_leader) for row in report.loss_leaders] == [("input", "to win them")]
    assert report.worst is None


def test_a_price_of_zero_for_what_costs_something_is_the_worst() -> None:
    report = check(CARD.replace('"25"', '"0"').replace('"250"', '"10"'), COST)
    assert [p.field[-10:] for p in report.problems] == ["s[0].input", "cache_read"]
    assert report.worst
    assert (report.worst.unit, report.worst.margin) == ("cache_read", None)


def test_the_mend_of_a_price_of_zero_is_the_rate_that_is_enough() -> None:
    # a million tokens cost 1.00, and a credit is worth 20 / 2500
    (problem,) = check(CARD.replace('"250"', '"0"'), COST).problems
    assert problem.mend.startswith("ask at least 125, or")
    assert check(CARD.replace('"250"', '"125"'), COST).problems == ()


def test_a_card_that_no_plan_uses_is_checked_at_the_least_that_any_plan_asks() -> None:
    report = check(CARD, COST, CARD.replace("standard", "next").replace('"250"', '"124"'))
    assert [(row.card, row.unit, row.worth.plan) for row in report.rows if row.below_cost] == [("next", "input", "pro")]
    assert codes(report) == [("below_cost", "cards.next.rates[0].input", "error")]


CACHED, COST_CACHED = 'cache_read = "25"\n', 'cache_read = "0.1"\n'


@pytest.mark.parametrize(
    ("card", "cost", "expected"),
    [
        (CARD.replace(CACHED, ""), COST, [("uncovered_unit", "cards.standard.rates[0]", "error")]),
        (CARD, COST.replace(COST_CACHED, ""), [("uncosted_unit", "models.m", "error")]),
        (
            CARD.replace(CACHED, ""),
            COST.replace(COST_CACHED, ""),
            [("uncosted_unit", "models.m", "error"), ("uncovered_unit", "cards.standard.rates[0]", "error")],
        ),
        (CARD.replace(CACHED, ""), COST.replace('"0.1"', '"1"'), [("uncovered_unit", "cards.standard.rates[0]", "error")]),
        (CARD.replace('"25"', '"as input"'), COST.replace('"0.1"', '"as input"'), []),
    ],
)
def test_what_any_answer_may_report_needs_a_rate_and_a_cost(card: str, cost: str, expected: list[tuple[str, str, str]]) -> None:
    report = check(card, cost)
    assert codes(report) == expected
    assert all('cache_read = "as input"' in problem.mend for problem in report.problems)


def test_later_changes_of_rates_and_costs_are_checked_and_only_what_changed() -> None:
    dearer = COST.replace("2026-01-01", "2027-03-01").replace('"1"', '"3"')
    cheaper = CARD.replace("2026-01-01", "2027-01-01").replace('"1000"', '"600"')
    past = COST.replace("2026-01-01", "2025-01-01").replace('"1"', '"99"')
    report = check(CARD, cheaper, past, COST, dearer)
    later = [(row.at, row.unit, int(row.price), row.cost) for row in report.rows if row.at != AT]
    assert later == [
        (parse_instant("2027-01-01"), "output", 4_800_000, 4_000_000),
        (parse_instant("2027-03-01"), "input", 2_000_000, 3_000_000),
    ]
    assert [p.code for p in report.problems] == ["below_cost"]
    assert "from 2027-03-01" in report.problems[0].what


def test_a_card_without_the_suppliers_long_context_step_is_caught_within_the_context() -> None:
    long = COST + COST.replace("from", "above = 200000\nfrom").replace('"4"', '"16"')
    report = check(CARD, long)
    assert [(r.unit, r.above) for r in report.rows if r.below_cost] == [("output", 200_000)]
    assert check(CARD, long.replace("200000", "300000")).problems == ()


def test_what_the_supplier_bills_otherwise_and_the_card_does_not_rate() -> None:
    more = COST + 'cache_write = "1.25"\ncache_write_1h = "1.25"\ninput_image = "2"\ninput_audio = "1"\nweb_search = "10000"\n'
    report = check(CARD, more)
    assert codes(report) == [
        ("uncovered_unit", "cards.standard.rates[0]", "error"),
        ("uncovered_unit", "cards.standard.rates[0]", "warning"),
    ]
    assert "bills cache_write, and" in report.problems[0].what
    assert "bills input_image, and" in report.problems[1].what
    assert report.by_call == ("web_search",)


def test_what_the_card_sells_and_nobody_is_known_to_bill() -> None:
    assert codes(check(CARD + 'input_video = "5"\n', COST)) == [("uncosted_unit", "cards.standard.rates[0]", "warning")]


def test_a_cost_that_begins_too_late_is_an_error_at_the_model() -> None:
    assert codes(check(CARD, COST.replace("2026-01-01", "2026-06-02"))) == [("uncosted", "models.m", "error")]


def test_tiers_that_are_passed_on_have_the_suppliers_price_and_others_the_default() -> None:
    flex = CARD + CARD.replace("from", 'tier = "flex"\nfrom')
    cost = COST + COST.replace("from", 'tier = "flex"\nfrom').replace('"4"', '"2"')
    own = {row.tier: row.cost for row in check(flex, cost).rows}
    assert own == {"default": 4_000_000, "flex": 4_000_000}
    passed = BOOK.replace("max_output = 4000", 'max_output = 4000\ntiers = ["flex"]')
    book = load_files({"book.toml": passed + flex + cost})
    assert {row.tier: row.cost for row in check_margins(book, book.costs, AT).rows} == {"default": 4_000_000, "flex": 2_000_000}


SECOND_MODEL = """
[models.n]
supplier = "sim"
name = "n-1"
context = 300000
max_output = 4000
[[models.n.cost]]
from = 2026-01-01
input = "3"
cache_read = "0.1"
output = "4"
"""


def mixed(*texts: str, weights: tuple[int, int] = (1, 1), product: str = "") -> Report:
    rows = "".join(f'[[products.chat.mix]]\nmodel = "{name}"\nweight = {weight}\n' for name, weight in zip("mn", weights, strict=True))
    files = BOOK.replace('model = "m"\n', product) + COST + SECOND_MODEL + rows
    book = load_files({"book.toml": "".join((files, *texts))})
    return check_margins(book, book.costs, AT)


def test_each_model_of_a_mix_has_a_margin_and_so_has_the_mix_by_its_weights() -> None:
    report = mixed(CARD, weights=(3, 1))
    # a credit is worth $0.008, so 250 credits bring $2; three parts cost 1 and one costs 3
    costs = {row.model: row.cost for row in report.rows if row.unit == "input"}
    assert costs == {"m": 1_000_000, "n": 3_000_000, "": 1_500_000}
    assert {row.model: row.margin for row in report.rows if row.unit == "input"} == {"m": Fraction(1, 2), "n": Fraction(-1, 2), "": Fraction(1, 4)}


def test_a_model_below_cost_is_a_warning_and_a_mix_below_cost_an_error() -> None:
    assert codes(mixed(CARD, weights=(3, 1))) == [("below_cost", "cards.standard.rates[0].input", "warning")]
    severities = [severity for _, _, severity in codes(mixed(CARD, weights=(1, 3)))]
    assert severities == ["warning", "error"]


def test_a_model_that_is_only_asked_when_others_fail_counts_for_nothing_in_the_mix() -> None:
    report = mixed(CARD, weights=(1, 0))
    assert next(row.cost for row in report.rows if row.unit == "input" and not row.model) == 1_000_000
    assert report.problems[0].severity == "warning"


def test_a_model_that_the_most_cost_leaves_out_is_told_and_all_of_them_is_an_error() -> None:
    report = mixed(CARD, product='max_cost = { input = "2" }\n')
    (found,) = [problem for problem in report.problems if problem.code == "too_dear"]
    assert (found.field, found.severity) == ("products.chat.max_cost", "warning")
    assert "n is not asked from 2026-06-01 on, as its input costs 3 per million, and the most is 2" in found.what
    assert "error" in {severity for code, _, severity in codes(mixed(CARD, product='max_cost = { input = "0.5" }\n')) if code == "too_dear"}
