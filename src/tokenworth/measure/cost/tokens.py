"""Dollars a million tokens by class, of a fleet at its real utilisation and at all of it, with an interval and what moves it most."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from tokenworth.core.errors import InputError
from tokenworth.core.exact import half_even
from tokenworth.core.money import NANO
from tokenworth.measure.cost.allocate import Allocation, allocate, marginal, proportional, ramsey
from tokenworth.measure.cost.demand import CLASSES, Demand, Tokens
from tokenworth.measure.cost.estimate import Estimate, Result, combine, known
from tokenworth.measure.cost.fleet import Interval, Run, Sizing, run
from tokenworth.measure.cost.work import Work

SECONDS = 3_600
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of a fleet, and how it is paid.

    Attributes:
        demand: what customers ask for.
        sizing: how many GPUs serve it.
        work: GPU-seconds a token.
        hour: dollars a GPU-hour.
        throughput: how many times as many tokens a GPU makes; 1, with the interval of the measurement behind `work`.
        cached: GPU-seconds of a cached token as a share of another's, with its interval; None: as `work` has it.
        utilisation: of the GPU-seconds that are paid, if it is known; the demand then only says the mix, and the size of a fleet that has none.
        resale: dollars a GPU-hour for which replicas that are idle for a whole interval are let to others, at most what they cost; 0: they are not.
        allocation: how the bill is shared out.
        elasticity: by class, for Ramsey's prices.
    """

    demand: Demand
    sizing: Sizing
    work: Work
    hour: Estimate
    throughput: Estimate = field(default_factory=lambda: known(1.0))
    cached: Estimate | None = None
    utilisation: float | None = None
    resale: float = 0.0
    allocation: Allocation = Allocation.MARGINAL
    elasticity: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a utilisation of a fleet that has another one in each interval."""
        if self.utilisation is not None and self.sizing.autoscale and self.sizing.gpus is None:
            raise InputError("an autoscaled fleet has the utilisation that its demand leaves", mend="leave one of the two out", code="bad_option")


@dataclass(frozen=True, slots=True)
class Bill:
    """What a run costs, in nano-dollars, and who bears it: the shares' sum is the bill.

    Attributes:
        run: the fleet's life.
        rent: for every GPU-second paid.
        resold: what others paid for idle ones.
        shares: of `rent - resold`, by class.
    """

    run: Run
    rent: int
    resold: int
    shares: Mapping[str, int]

    @property
    def total(self) -> int:
        """Nano-dollars that the tokens must bear."""
        return self.rent - self.resold

    @property
    def per_million(self) -> dict[str, float]:
        """Dollars a million served tokens, by class; of a class that nobody asked for, none."""
        return {name: share / NANO / tokens * MILLION for name, share in self.shares.items() if (tokens := getattr(self.run.served, name))}


@dataclass(frozen=True, slots=True)
class TokenCost:
    """Dollars a million tokens by class.

    Attributes:
        bill: of the real utilisation, at the middle of every input.
        full: of the same tokens at 100 %: only the GPU-seconds that they take are paid.
        real: dollars a million by class, with the interval and what moves it.
    """

    bill: Bill
    full: Bill
    real: Mapping[str, Result]


def token_cost(plan: Plan) -> TokenCost:
    """Return what tokens cost. InputError where nothing is asked for, or where Ramsey's prices lack an elasticity."""
    inputs = {"GPU-hour": plan.hour, "throughput": plan.throughput}
    if plan.cached is not None:
        inputs["cached share"] = plan.cached
    work = _work(plan, {name: one.value for name, one in inputs.items()})
    middle = bill_of(plan, plan.hour.value, work)
    real = combine(lambda at: bill_of(plan, at["GPU-hour"], _work(plan, at)).per_million, inputs)
    return TokenCost(middle, full_bill(plan, middle.run, work), real)


def bill_of(plan: Plan, hour: float, work: Work) -> Bill:
    """Return the bill of a plan at a price and a work that are certain."""
    lived = _run(plan, work)
    rent = dollars(lived.paid, hour)
    resold = dollars(lived.whole_idle, min(plan.resale, hour))
    return Bill(lived, rent, resold, _shares(plan, lived.served, work, hour=hour, bill=rent - resold))


def _run(plan: Plan, work: Work) -> Run:
    """Run the fleet; at a stated utilisation, a fleet of its size on the mix that the demand has on the whole."""
    lived = run(plan.demand, work, plan.sizing)
    if plan.utilisation is None:
        return lived
    mix, duration = plan.demand.total, plan.demand.duration
    busy = mix * (plan.utilisation * lived.paid / work.of(mix))
    return run(Demand(duration, (busy,), plan.demand.source), work, replace(plan.sizing, gpus=lived.paid // duration))


def dollars(gpu_seconds: int, hour: float) -> int:
    """Return nano-dollars of whole GPU-seconds at dollars a GPU-hour, which are taken to the nano-dollar; rounded once, half-even."""
    return half_even(gpu_seconds * round(hour * NANO), SECONDS) // SECONDS


def full_bill(plan: Plan, lived: Run, work: Work) -> Bill:
    """Return the bill of the GPU-seconds that a run used, and of no other; in all they are taken up to the whole second."""
    sums = [0, *(math.ceil(used) for used in accumulate(each.used for each in lived.intervals))]
    used = tuple(Interval(after - before, 0, each.used, each.unserved) for (before, after), each in zip(pairwise(sums), lived.intervals, strict=True))
    busy = replace(lived, intervals=used)
    rent = dollars(busy.paid, plan.hour.value)
    return Bill(busy, rent, 0, _shares(plan, lived.served, work, hour=plan.hour.value, bill=rent))


def _work(plan: Plan, at: Mapping[str, float]) -> Work:
    work = plan.work
    if "cached share" in at:
        work = Work(work.input, work.input * at["cached share"], work.output)
    return work.scaled(at["throughput"])


def _shares(plan: Plan, served: Tokens, work: Work, *, hour: float, bill: int) -> dict[str, int]:
    if plan.allocation is Allocation.PROPORTIONAL:
        return allocate(bill, proportional(served))
    seconds = marginal(served, work)
    if plan.allocation is Allocation.MARGINAL:
        return allocate(bill, seconds)
    costs = {name: seconds[name] * hour / SECONDS for name in CLASSES}
    return allocate(bill, ramsey(costs, bill / NANO, plan.elasticity))
