"""Rates made from other rates when a card is compiled: times a factor, so that rating itself never multiplies twice and never rounds.

The order of several: what something costs to make, mark-up, exchange into the card's unit, factors of tier and product, factors of hours. All
are products, so the order makes no difference to the result; where it is rounded, it is rounded once, at the end.
"""

from dataclasses import replace
from fractions import Fraction

from tokenworth.core.errors import InputError
from tokenworth.core.exact import half_even
from tokenworth.core.money import format_rate
from tokenworth.price.card import Terms, compile_terms
from tokenworth.price.schedule import Form

INEXACT = "inexact_rate"


def scaled(terms: Terms, factor: Fraction, *, source: str, rounded: bool = False, currency: str = "") -> Terms:
    """Return terms with all rates times a factor, in another currency if one is named.

    A rate that would have more than six decimals is an InputError (`inexact_rate`), unless the book says that the published rate is
    the `rounded` one: half-even to six decimals.
    """

    def times(rate: int, name: str) -> int:
        top, bottom = rate * factor.numerator, factor.denominator
        if top % bottom and not rounded:
            what = f"{source}: {format_rate(rate)} of {name} times {factor} has more than six decimals"
            raise InputError(what, mend="write rounded = true, if the rate that you publish is the rounded one, or take another factor", code=INEXACT)
        return half_even(top, bottom) // bottom

    steps = {step.above: {name: times(rate, name) for name, rate in step.rates.items()} for step in terms.steps}
    form = Form(terms.form.marginal, terms.form.packages, times(terms.form.minimum, "the minimum"))
    made = compile_terms(currency=currency or terms.currency, since=terms.since, source=source, steps=steps, form=form)
    inside = tuple((hours, scaled(other, factor, source=f"{source} {hours}", rounded=rounded, currency=currency)) for hours, other in terms.hours)
    return replace(made, hours=inside)
