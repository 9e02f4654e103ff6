"""Dollars a million tokens by class, of a fleet at its real utilisation and at all of it, with an interval and what moves it most."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tokenworth.core.exact import half_even
from tokenworth.core.money import NANO
from tokenworth.measure.cost.allocate import Allocation, allocate, marginal, proportional, ramsey
from tokenworth.measure.cost.demand import CLASSES, Demand, Tokens
from tokenworth.measure.cost.estimate import Estimate, Result, combine, known
from tokenworth.measure.cost.fleet import Run, Sizing, run
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
        utilisation: of the GPU-seconds that are ready, if it is known; the demand then only says the mix and how it is spread.
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
    middle = bill_of(plan, plan.hour.value, _work(plan, {name: one.value for name, one in inputs.items()}))
    real = combine(lambda at: bill_of(plan, at["GPU-hour"], _work(plan, at)).per_million, inputs)
    return TokenCost(middle, _full(plan, middle), real)


def bill_of(plan: Plan, hour: float, work: Work) -> Bill:
    """Return the bill of a plan at a price and a work that are certain."""
    lived = _run(plan, work)
    rent = dollars(lived.paid, hour)
    resold = dollars(lived.whole_idle, min(plan.resale, hour))
    return Bill(lived, rent, resold, _shares(plan, lived.served, work, hour=hour, bill=rent - resold))


def _run(plan: Plan, work: Work) -> Run:
    """Run the fleet; at a stated utilisation, against the demand that brings it about."""
    if plan.utilisation is None:
        return run(plan.demand, work, plan.sizing)
    idle = run(plan.demand, work, plan.sizing)
    return run(plan.demand.scaled(plan.utilisation * (idle.paid - idle.starting) / work.of(plan.demand.total)), work, plan.sizing)


def dollars(gpu_seconds: int, hour: float) -> int:
    """Return nano-dollars of whole GPU-seconds at dollars a GPU-hour, which are taken to the nano-dollar; rounded once, half-even."""
    return half_even(gpu_seconds * round(hour * NANO), SECONDS) // SECONDS


def _full(plan: Plan, bill: Bill) -> Bill:
    """Return the bill of the GPU-seconds that a run used, and of no other."""
    work = _work(plan, {"throughput": plan.throughput.value, **({} if plan.cached is None else {"cached share": plan.cached.value})})
    rent = dollars(round(bill.run.used), plan.hour.value)
    return Bill(bill.run, rent, 0, _shares(plan, bill.run.served, work, hour=plan.hour.value, bill=rent))


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
