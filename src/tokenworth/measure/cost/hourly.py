"""What an hour of a GPU costs: rented, as the distribution that a market is; owned, as an annuity with power and operations; and over time."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist, fmean, stdev

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.estimate import Estimate, quantile

HOURS = 8_760
"""Of a year of 365 days."""
LOW, HIGH = 0.1, 0.9
"""The quantiles that an interval goes from and to."""


class Terms(StrEnum):
    """How long a rented GPU is one's own."""

    ON_DEMAND = "on_demand"
    RESERVED = "reserved"
    SPOT = "spot"


@dataclass(frozen=True, slots=True)
class Quote:
    """A price that was asked for a GPU.

    Attributes:
        gpu: its canonical name, such as `h100_sxm`.
        provider: who asks.
        terms: for how long.
        usd: dollars a GPU-hour; of many offers their median.
        date: ISO date of the price.
        source: where it was read, with its version or stock-keeping unit.
        low: dollars; the least of many offers, else the price.
        high: dollars; the 90th percentile of many offers, else the price.
    """

    gpu: str
    provider: str
    terms: Terms
    usd: float
    date: str
    source: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Market:
    """The prices of one GPU on the same terms, the last of each provider.

    Attributes:
        quotes: at least one, the cheapest first.
    """

    quotes: tuple[Quote, ...]

    @property
    def hour(self) -> Estimate:
        """Median dollars a GPU-hour, and the tenth and ninetieth per cent of the providers."""
        asked = [quote.usd for quote in self.quotes]
        return Estimate(quantile(asked, 0.5), quantile(asked, LOW), quantile(asked, HIGH))

    @property
    def range(self) -> tuple[float, float]:
        """Dollars of the cheapest and of the dearest."""
        return self.quotes[0].usd, self.quotes[-1].usd

    @property
    def dates(self) -> tuple[str, str]:
        """First and last date of the prices."""
        found = [quote.date for quote in self.quotes]
        return min(found), max(found)


def market(quotes: Iterable[Quote], gpu: str, terms: Terms, *, until: str = "9999") -> Market:
    """Return the market of a GPU as of a date; InputError `no_price` where nobody asked a price by then."""
    last: dict[str, Quote] = {}
    for quote in sorted(quotes, key=lambda each: each.date):
        if (quote.gpu, quote.terms) == (gpu, terms) and quote.date <= until:
            last[quote.provider] = quote
    if not last:
        raise InputError(f"no {terms} price of {gpu} is known", mend="give the price of a GPU-hour, or import prices", code="no_price")
    return Market(tuple(sorted(last.values(), key=lambda quote: (quote.usd, quote.provider))))


@dataclass(frozen=True, slots=True)
class Owned:
    """What it takes to own a GPU, with its share of server, network and building.

    Attributes:
        capital: dollars paid for it.
        years: useful life.
        interest: cost of capital a year, as a share.
        residual: what it is worth at the end, as a share of the capital.
        kilowatts: what it draws, with its share of the server.
        pue: power usage effectiveness: what the building draws for each watt of it. 1 where `kilowatts` is all-in.
        power_price: dollars a kilowatt-hour.
        operations: dollars a year: space, staff, spare parts, insurance.
        available: share of the hours in which it can work.
    """

    capital: float
    years: float
    interest: float
    kilowatts: float
    power_price: float
    residual: float = 0.0
    pue: float = 1.0
    operations: float = 0.0
    available: float = 1.0

    def __post_init__(self) -> None:
        """Refuse figures that no GPU can have."""
        shares = 0 <= self.residual <= 1 and 0 < self.available <= 1
        amounts = min(self.capital, self.interest, self.kilowatts, self.power_price, self.operations) >= 0
        if not (shares and amounts and self.years > 0 and self.pue >= 1):
            raise InputError(
                f"{self} describes no GPU",
                mend="give amounts of zero or more, a life of more than 0 years, shares of 0 to 1, and a PUE of at least 1",
                code="bad_owned",
            )

    @property
    def capital_hour(self) -> float:
        """Dollars an available hour of the annuity that pays the capital back with interest, less the residual value at the end.

        (C - S (1+r)^-L) r / (1 - (1+r)^-L), the annuity of any textbook of finance; without interest (C - S) / L.
        """
        worth = self.capital * self.residual
        if not self.interest:
            return (self.capital - worth) / self.years / self._hours
        discount = math.exp(-self.years * math.log1p(self.interest))
        return (self.capital - worth * discount) * self.interest / (1 - discount) / self._hours

    @property
    def power_hour(self) -> float:
        """Dollars an available hour for power."""
        return self.kilowatts * self.pue * self.power_price / self.available

    @property
    def operations_hour(self) -> float:
        """Dollars an available hour for operations."""
        return self.operations / self._hours

    @property
    def hour(self) -> float:
        """Dollars an available hour, all in all."""
        return self.capital_hour + self.power_hour + self.operations_hour

    @property
    def _hours(self) -> float:
        return HOURS * self.available


@dataclass(frozen=True, slots=True)
class Trend:
    """How a price moves: a geometric random walk, which may rise as well as fall.

    Attributes:
        drift: mean change of the logarithm, a year.
        error: standard error of the drift.
        volatility: standard deviation of the logarithm's change over a year.
        observed: how many changes it was fitted on.
    """

    drift: float
    error: float
    volatility: float
    observed: int

    def at(self, hour: Estimate, years: float) -> Estimate:
        """Return a price some years from now: the drift's and the walk's uncertainty on top of the price's own, as lognormal in quadrature."""
        middle = math.exp(self.drift * years)
        spread = NormalDist().inv_cdf(HIGH) * math.hypot(self.volatility * math.sqrt(years), self.error * years)
        down = math.exp(math.hypot(spread, _log(hour.value, hour.low)))
        up = math.exp(math.hypot(spread, _log(hour.high, hour.value)))
        value = hour.value * middle
        return Estimate(value, value / down, value * up)


def _log(top: float, bottom: float) -> float:
    return math.log(top / bottom) if bottom else 0.0


def trend(changes: Sequence[tuple[float, float, float]]) -> Trend:
    """Fit a trend on (price before, price after, years between) of several GPUs; InputError for fewer than two."""
    if len(changes) < 2:
        raise InputError("a trend needs two changes of price or more", mend="give more prices of different dates", code="no_trend")
    drifts = [math.log(after / before) / years for before, after, years in changes]
    # a walk's variance grows with time: each change is scaled to a year
    volatility = stdev([math.log(after / before) / math.sqrt(years) for before, after, years in changes])
    return Trend(fmean(drifts), stdev(drifts) / math.sqrt(len(drifts)), volatility, len(drifts))
