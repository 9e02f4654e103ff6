"""A fleet's plan from what a person says, what a book says of the fleet, and shipped facts, in this order; with where each figure is from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenworth.book.model import Fleet
from tokenworth.core.errors import InputError
from tokenworth.core.money import NANO
from tokenworth.feeds.benchmarks.read import read_benchmarks
from tokenworth.feeds.demand import read_demand, shipped
from tokenworth.feeds.gpu_prices import gpu_called, read_quotes, shipped_quotes
from tokenworth.measure.cost.allocate import Allocation
from tokenworth.measure.cost.demand import Demand
from tokenworth.measure.cost.estimate import Estimate, known
from tokenworth.measure.cost.fleet import Sizing
from tokenworth.measure.cost.gpus import gpu_named
from tokenworth.measure.cost.hourly import Market, Quote, Terms, market
from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.serving import Serving, servings
from tokenworth.measure.cost.table import shipped as shipped_table
from tokenworth.measure.cost.tokens import Plan
from tokenworth.measure.cost.work import Work, from_rates

CACHED = Estimate(0.1, 0.0, 0.25)
"""GPU-seconds of a cached token as a share of another's: assumed, since no source measures it. A tenth is what most suppliers ask for one; a quarter
is what DeepSeek asks; nothing is what it takes if only the prefill counts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person says of a fleet; None where nothing.

    Attributes:
        demand: name of a shipped series or trace, or a file.
        scale: how many times the demand.
        interval: seconds of an interval of requests.
        hit_rate: share of the input that is cached.
        cache_tokens: size of the prefix cache.
        gpu: which GPUs.
        hour: dollars a GPU-hour.
        terms: on which a GPU is rented, where `hour` is not said.
        prices: a file of prices to add to the shipped ones.
        model: which model, as measured.
        engine: what serves it.
        precision: of the weights.
        speed: output tokens a second and user.
        prefill: input tokens a second and GPU.
        decode: output tokens a second and GPU.
        prefill_hits: share of `prefill` that was cached.
        cached: GPU-seconds of a cached token as a share.
        points: files of measured points beside the shipped ones.
    """

    demand: str
    scale: float = 1.0
    interval: int | None = None
    hit_rate: float | None = None
    cache_tokens: int | None = None
    gpu: str | None = None
    hour: Estimate | None = None
    terms: Terms = Terms.ON_DEMAND
    prices: Path | None = None
    model: str | None = None
    engine: str | None = None
    precision: str | None = None
    speed: float | None = None
    prefill: float | None = None
    decode: float | None = None
    prefill_hits: float = 0.0
    cached: Estimate = CACHED
    points: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Priced:
    """A price of a GPU-hour and where it is from."""

    hour: Estimate
    source: str


@dataclass(frozen=True, slots=True)
class Worked:
    """GPU-seconds a token, the interval of what a GPU makes, and where they are from."""

    work: Work
    throughput: Estimate
    source: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures of a plan are from."""

    demand: str
    hour: str
    work: str
    cached: str


def demand_of(asked: Asked) -> Demand:
    """Return the demand that is named: a file if there is one of that name, else a shipped one."""
    path = Path(asked.demand)
    if path.is_file():
        if asked.cache_tokens is not None:
            raise InputError("a file says which tokens were cached", mend="leave the size of the cache out", code="bad_option")
        made = read_demand(path, seconds=asked.interval, hit_rate=asked.hit_rate)
    else:
        made = shipped(asked.demand, seconds=asked.interval, hit_rate=asked.hit_rate, cache_tokens=asked.cache_tokens)
    return made.scaled(asked.scale) if asked.scale != 1 else made


def quotes_of(prices: Path | None) -> Sequence[Quote]:
    """Return the shipped prices, and those of a file."""
    return (*shipped_quotes(), *(read_quotes(prices) if prices else ()))


def market_of(quotes: Sequence[Quote], gpu: str, terms: Terms) -> Market:
    """Return the market of a GPU that a person names."""
    return market(quotes, gpu_called(gpu, (quote.gpu for quote in quotes)), terms)


def priced(asked: Asked, fleet: Fleet | None) -> Priced:
    """Return the price of a GPU-hour: as said, as the book says, or the market's."""
    if asked.hour is not None:
        return Priced(asked.hour, "as given")
    if fleet is not None:
        return Priced(known(fleet.gpu_hour / NANO), "the book")
    if asked.gpu is None:
        raise InputError("nothing says what a GPU-hour costs", mend="give --gpu, --gpu-hour, or --book and --model", code="no_price")
    found = market_of(quotes_of(asked.prices), asked.gpu, asked.terms)
    count, (first, last) = len(found.quotes), found.dates
    dates = first if first == last else f"{first} to {last}"
    return Priced(found.hour, f"median of {count} {asked.terms.replace('_', '-')} price{'s' if count > 1 else ''} of {dates}")


def worked(asked: Asked, fleet: Fleet | None, demand: Demand) -> Worked:
    """Return what tokens take: from rates as said or as the book says, else from measured points; of several stacks, the one that takes least."""
    prefill = asked.prefill or (fleet.prefill if fleet else 0)
    decode = asked.decode or (fleet.decode if fleet else 0)
    if prefill or decode:
        work = from_rates(prefill, decode, cached=asked.cached.value, hits=asked.prefill_hits)
        return Worked(work, known(1.0), f"{prefill:g} tokens/s/GPU of prefill and {decode:g} of decode")
    best = min(_measured(asked, fleet), key=lambda each: each.work.of(demand.total))
    return Worked(best.work, best.throughput, str(best))


def _measured(asked: Asked, fleet: Fleet | None) -> list[Serving]:
    speed = asked.speed or (fleet.interactivity if fleet else 0)
    gpu, name = asked.gpu or (fleet.gpu if fleet else ""), asked.model or ""
    if not (speed and gpu and name):
        raise InputError(
            "nothing says what a GPU makes",
            mend="give --served, --gpu and --speed, or --prefill and --decode; a fleet of a book may state interactivity, or prefill and decode",
            code="no_throughput",
        )
    engine, precision = asked.engine or (fleet.engine if fleet else ""), asked.precision or (fleet.precision if fleet else "")
    wanted = (model_name(name), gpu_named(gpu).name)
    known_points = (*shipped_table().points, *read_benchmarks(asked.points).points)
    points = [point for point in known_points if (point.stack.model, point.stack.gpu) == wanted]
    kept = [point for point in points if engine in ("", point.stack.engine) and precision in ("", point.stack.precision)]
    return servings(kept, speed, cached=asked.cached.value)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a bill is shared out, and what idle GPUs bring."""

    allocation: Allocation = Allocation.MARGINAL
    elasticity: Mapping[str, float] = field(default_factory=dict)
    resale: float = 0.0
    utilisation: float | None = None


def plan_of(asked: Asked, sizing: Sizing, spread: Spread, *, fleet: Fleet | None = None) -> tuple[Plan, Sources]:
    """Return the plan, and where its figures are from."""
    demand = demand_of(asked)
    hour, work = priced(asked, fleet), worked(asked, fleet, demand)
    plan = Plan(
        demand=demand,
        sizing=sizing,
        work=work.work,
        hour=hour.hour,
        throughput=work.throughput,
        cached=asked.cached if demand.total.cache_read else None,
        utilisation=spread.utilisation,
        resale=spread.resale,
        allocation=spread.allocation,
        elasticity=spread.elasticity,
    )
    return plan, Sources(demand.source, hour.source, work.source, "assumed" if asked.cached == CACHED else "as given")
