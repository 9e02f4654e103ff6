"""Rate one event into an explained charge, or a frame into an expression; both through the kernel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.core.errors import PriceError
from tokenworth.core.money import PICO_PER_NANO, to_grain
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import DEFAULT_TIER, Card, Terms
from tokenworth.price.kernel import price
from tokenworth.price.lines import Line, lines
from tokenworth.price.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Charge:
    """What a usage costs under given terms: exact in pico-units, rounded once to the ledger's nano-units."""

    usage: Usage
    terms: Terms
    pico: int

    @property
    def nano(self) -> int:
        """The posting: pico-units rounded half-even to nano-units."""
        return to_grain(self.pico) // PICO_PER_NANO

    @property
    def lines(self) -> tuple[Line, ...]:
        """What it is made of; the parts sum to `pico`."""
        return lines(self.usage.counts, self.terms)


def charge(usage: Usage, terms: Terms) -> Charge:
    """Price a usage under given terms; PriceError names a unit that they do not rate."""
    try:
        return Charge(usage, terms, price(usage.counts, terms.schedule))
    except KeyError as missing:
        name = str(missing.args[0])
        raise PriceError(f"{terms.source} has no rate for {name} ({usage.counts[name]} used)", mend=f'add {name} = "..." to it') from None


def with_request(usage: Usage, terms: Terms) -> Usage:
    """Count the request itself, once, where it has a rate; sellers and suppliers need not agree on that."""
    return Usage({**usage.counts, "request": 1}) if "request" in terms.steps[0].rates and "request" not in usage.counts else usage


def rate(usage: Usage, card: Card, at: int, *, product: str, tier: str = DEFAULT_TIER) -> Charge:
    """Price a usage with the terms that the card has in force at an instant for a product and tier."""
    return charge(usage, card.terms(product, tier, at))


def rate_frame(counts: Mapping[str, Any], rates: Schedule) -> Any:
    """Return the posting of every row, in pico-units but whole nano-units, as a column expression.

    `counts` and `rates` hold integer columns; rows whose rate is null come out null where the unit was used. Sum in a type that cannot
    wrap, then divide by PICO_PER_NANO.
    """
    return to_grain(price(counts, rates))
