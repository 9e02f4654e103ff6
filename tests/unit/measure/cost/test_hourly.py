"""The price of a GPU-hour: textbook annuities, the market of one day, and paths that go both ways."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core.errors import InputError
from tokenworth.feeds.gpu_prices import ownership, rental_trend, shipped_quotes
from tokenworth.measure.cost.estimate import Estimate, known
from tokenworth.measure.cost.hourly import HOURS, Owned, Quote, Terms, market, trend

DAY = "2026-03-03"


def owned(**more: float) -> Owned:
    return Owned(**{"capital": 0.0, "years": 5.0, "interest": 0.1, "kilowatts": 0.0, "power_price": 0.0} | more)


def test_the_annuity_of_a_textbook() -> None:
    # a loan of 100,000 at 10 % over 5 years is paid back by 26,379.75 a year
    assert owned(capital=100_000).capital_hour * HOURS == pytest.approx(26_379.75, abs=0.005)


def test_without_interest_the_loss_of_value_is_spread_evenly() -> None:
    assert owned(capital=40_000, interest=0, years=4, residual=0.25).capital_hour * HOURS == pytest.approx(30_000 / 4)


@given(st.floats(1, 1e5), st.floats(0.5, 10), st.floats(0.001, 0.3), st.floats(0, 1))
def test_payments_and_residual_are_worth_the_capital(capital: float, years: float, interest: float, residual: float) -> None:
    payment = owned(capital=capital, years=years, interest=interest, residual=residual).capital_hour * HOURS
    discount = (1 + interest) ** -years
    assert payment * (1 - discount) / interest + capital * residual * discount == pytest.approx(capital)


def test_power_and_operations() -> None:
    one = owned(kilowatts=1.2, pue=1.25, power_price=0.1, operations=876, available=0.5)
    # half the hours carry all of the cost
    assert one.power_hour == pytest.approx(1.2 * 1.25 * 0.1 / 0.5)
    assert one.operations_hour == pytest.approx(0.2)
    assert one.hour == pytest.approx(one.power_hour + one.operations_hour)


@pytest.mark.parametrize("wrong", [{"pue": 0.9}, {"available": 0}, {"residual": 1.1}, {"years": 0}, {"capital": -1}])
def test_figures_that_no_gpu_has(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError) as caught:
        owned(**wrong)
    assert caught.value.code == "bad_owned"


def test_an_h100_cost_from_eighty_cents_to_nearly_ten_dollars_on_one_day() -> None:
    """As the collection of the data says: from $0.80 (spot) to $9.80 (on demand)."""
    on_the_day = [quote for quote in shipped_quotes() if quote.date == DAY]
    spot, asked = (market(on_the_day, "h100_sxm", terms) for terms in (Terms.SPOT, Terms.ON_DEMAND))
    assert round(spot.range[0], 2) == 0.80
    assert round(asked.range[1], 2) == 9.80
    assert spot.dates == asked.dates == (DAY, DAY)
    assert asked.range[0] <= asked.hour.low < asked.hour.value < asked.hour.high <= asked.range[1]
    assert all(quote.source for quote in shipped_quotes())


def test_of_each_provider_the_last_price_counts_and_none_from_later() -> None:
    def asked(usd: float, date: str) -> Quote:
        return Quote("x", "p", Terms.SPOT, usd, date, "s", usd, usd)

    quotes = [asked(3, "2026-02-01"), asked(2, "2026-01-01"), asked(4, "2026-03-01")]
    assert market(quotes, "x", Terms.SPOT).range == (4, 4)
    assert market(quotes, "x", Terms.SPOT, until="2026-02-15").range == (3, 3)
    with pytest.raises(InputError, match="no on_demand price of x"):
        market(quotes, "x", Terms.ON_DEMAND)


def test_what_is_not_verified_says_so() -> None:
    assert {each.status for each in ownership() if each.date > "2026-06"} == {"unverified"}
    assert all("unverified" in quote.source for quote in shipped_quotes() if quote.terms is Terms.RESERVED and quote.date > "2026-06")


def test_a_trend_of_two_changes_by_hand() -> None:
    fitted = trend([(1.0, math.e, 1.0), (2.0, 2.0, 1.0)])
    assert fitted.observed == 2
    assert fitted.drift == pytest.approx(0.5)
    assert fitted.volatility == pytest.approx(math.sqrt(0.5))
    assert fitted.error == pytest.approx(0.5)
    with pytest.raises(InputError):
        trend([(1.0, 2.0, 1.0)])


def test_surveyed_rents_rose_and_fell_so_a_path_may_do_both() -> None:
    rents = {each.gpu: [other.rental for other in ownership() if other.gpu == each.gpu] for each in ownership()}
    assert rents["h100_sxm"][0] < rents["h100_sxm"][1]
    assert rents["b200_sxm"][0] > rents["b200_sxm"][1]
    now, later = known(2.0), rental_trend().at(known(2.0), 3)
    assert later.low < now.value < later.high
    assert rental_trend().at(known(2.0), 0) == now


def test_a_path_begins_with_the_width_of_todays_market() -> None:
    today = Estimate(2.0, 1.0, 5.0)
    assert rental_trend().at(today, 0).high == pytest.approx(5.0)
    ahead = [rental_trend().at(today, years) for years in range(5)]
    assert [each.high / each.low for each in ahead] == sorted(each.high / each.low for each in ahead)
