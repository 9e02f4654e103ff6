"""What keeps a model out of a product's mix: its facts against the product's rules."""

from collections.abc import Iterator

from tokenworth.book.model import Model, Rules
from tokenworth.core.money import format_rate
from tokenworth.price.card import Terms


def broken(rules: Rules, model: Model) -> Iterator[tuple[str, str]]:
    """Yield the rules that a model breaks whatever the request: the rule's field, and why."""
    if rules.min_quality is not None and (model.quality is None or model.quality < rules.min_quality):
        yield "min_quality", f"its quality is {'not stated' if model.quality is None else model.quality}, and the least is {rules.min_quality}"
    if rules.regions and not model.regions:
        yield "regions", "where it keeps data is not stated"
    elif rules.regions and (outside := model.regions - rules.regions):
        yield "regions", f"it keeps data in {', '.join(sorted(outside))}"


def too_dear(rules: Rules, cost: Terms | None) -> str:
    """Say why a model costs too much under given terms of its supplier, or nothing. What has no known cost is too dear."""
    if not rules.max_cost:
        return ""
    if cost is None:
        return "its cost is not known"
    rates = cost.steps[0].rates
    for name, most in rules.max_cost.items():
        if rates.get(name, 0) > most:
            return f"its {name} costs {format_rate(rates[name])} per million, and the most is {format_rate(most)}"
    return ""
