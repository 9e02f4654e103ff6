"""Prices of a GPU-hour for several GPUs at once, each with its source: what a person says, else what was surveyed or asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tokenworth.core.errors import InputError
from tokenworth.feeds.gpu_prices import shipped_quotes
from tokenworth.measure.cost.estimate import Estimate
from tokenworth.measure.cost.hourly import Market, Terms, market

GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Hour:
    """Dollars a GPU-hour, and where they are from."""

    usd: Estimate
    source: str


def hours_of(gpus: Iterable[str], given: Mapping[str, Estimate], terms: Terms = Terms.RESERVED) -> dict[str, Hour]:
    """Return prices by GPU: given ones, else the market's on these terms, else on demand; a GPU of which no price is known is left out."""
    found = {}
    for gpu in gpus:
        hour = Hour(given[gpu], GIVEN) if gpu in given else _asked(gpu, dict.fromkeys((terms, Terms.ON_DEMAND)))
        if hour:
            found[gpu] = hour
    return found


def _asked(gpu: str, preferred: Iterable[Terms]) -> Hour | None:
    for terms in preferred:
        try:
            asked = market(shipped_quotes(), gpu, terms)
        except InputError:
            continue
        return Hour(asked.hour, f"{terms}, {_who(asked)}, {asked.dates[1]}")
    return None


def _who(asked: Market) -> str:
    return asked.quotes[0].provider if len(asked.quotes) == 1 else f"median of {len(asked.quotes)} providers"
