"""What a new operator tries first: a product of a plan, and a grant that lasts for some requests of it."""

from itertools import count

import orjson

from tokenworth.book.model import Plan
from tokenworth.core.money import NANO, format_amount
from tokenworth.flows.ports import Principal
from tokenworth.flows.serve.order import Shop, order, sold
from tokenworth.flows.serve.wire import chat

REQUESTS = 10
"""How many open requests without a token limit of their own the first grant holds."""


def first_steps(shop: Shop, plan: Plan, at: int) -> tuple[str, str]:
    """Return a product of the plan and arguments of `grants add`: credits for a few requests of any size of answer, at the plan's price."""
    asker = Principal("acme", plan.id, "")
    products = [str(model["id"]) for model in sold(shop, asker, at)]
    if not products:
        return next(iter(shop.book.products)), _grant(plan, NANO)
    body = orjson.dumps({"model": products[0], "messages": [{"role": "user", "content": "Hello"}]})
    return products[0], _grant(plan, REQUESTS * order(shop, asker, chat.FORMAT.parse(body), event="", at=at).amount)


def _grant(plan: Plan, least: int) -> str:
    """Return amount and price of a grant of at least so many nano-units, as an operator would sell it on the plan."""
    if not plan.credit_price and plan.included:
        times = -(-least // plan.included)
        return f"{format_amount(times * plan.included)} --source included --paid {format_amount(times * plan.fee)}"
    amount = next(digit * 10**zeros for zeros in count() for digit in (1, 2, 5) if digit * 10**zeros * NANO >= least)
    return f"{amount} --paid {format_amount(amount * plan.credit_price)}"
