"""How many tokens a prompt has, before it is sent: as the supplier counts them where it can, else as they are counted here. It costs nothing."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenworth.book.model import Model
from tokenworth.core.errors import SupplierError
from tokenworth.flows.ports import Supplier, SupplierRequest
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire import messages
from tokenworth.flows.serve.wire.answer import read_object
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.find import spoken
from tokenworth.flows.serve.wire.text import Said, by_bytes

PATH = messages.PATH + "/count_tokens"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of a prompt; `by` is `supplier`, or `estimate` where they are counted here."""

    tokens: int
    by: str


async def count_tokens(shop: Shop, suppliers: Mapping[str, Supplier], models: Sequence[Model], ask: Ask) -> Counted:
    """Count the tokens of a request in Anthropic's format as the first of its models does; Refusal (400) where a supplier finds it malformed."""
    for model in models:
        if messages.API in spoken(shop.book.suppliers[model.supplier]):
            counted = await _asked(suppliers[model.supplier], model, ask)
            if counted is not None:
                return Counted(counted, "supplier")
    return Counted(Said(ask.prompt).tokens(shop.counts.get(models[0].id, by_bytes)), "estimate")


async def _asked(supplier: Supplier, model: Model, ask: Ask) -> int | None:
    """Return what the supplier counts, None where it does not say."""
    try:
        response = await supplier.send(SupplierRequest(PATH, {**ask.body, "model": model.name}, stream=False, headers=messages.passed_on(ask)))
        content = read_object(b"".join([chunk async for chunk in response.body])) or {}
    except SupplierError as error:
        log.warning("tokens are not counted by %s: %s", model.supplier, error.code)
        return None
    if response.status in (400, 413):
        told = content.get("error")
        what = told.get("message") if isinstance(told, dict) else None
        raise bad_request(f"The supplier refused the request: {what or response.status}", code="supplier_rejected")
    counted = content.get("input_tokens")
    return counted if type(counted) is int and response.status == 200 else None
