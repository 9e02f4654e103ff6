"""The suppliers of a book, made."""

from collections.abc import Callable, Mapping
from functools import partial

from tokenworth.book.model import Book
from tokenworth.book.model import Supplier as Declared
from tokenworth.core.errors import InputError
from tokenworth.feeds.traces import load
from tokenworth.flows.ports import Supplier
from tokenworth.suppliers.anthropic import AnthropicSupplier
from tokenworth.suppliers.openai import OpenAISupplier, read_key
from tokenworth.suppliers.simulated.answer import SimulatedModel
from tokenworth.suppliers.simulated.supplier import SimulatedSupplier

DEFAULT_TRACE = "azure2023-conv"
"""Of simulated models that name none."""
HTTP = {"openai": OpenAISupplier, "anthropic": AnthropicSupplier, "fleet": OpenAISupplier}


def make_suppliers(book: Book, environment: Mapping[str, str], clock: Callable[[], int]) -> dict[str, Supplier]:
    """Return every supplier of the book by its id; InputError where a key is not in the environment."""
    return {supplier.id: _make(supplier, book, environment, clock) for supplier in book.suppliers.values()}


def _make(supplier: Declared, book: Book, environment: Mapping[str, str], clock: Callable[[], int]) -> Supplier:
    if supplier.kind in HTTP:
        return HTTP[supplier.kind](supplier.base_url, read_key(supplier.api_key_env, environment), supplier.timeout)
    if supplier.kind == "simulated":
        models = {
            model.name: SimulatedModel(partial(load, model.trace or DEFAULT_TRACE), model.context, model.max_output)
            for model in book.models.values()
            if model.supplier == supplier.id
        }
        return SimulatedSupplier(models, clock, supplier.speed)
    known = ", ".join((*HTTP, "simulated"))
    raise InputError(f"supplier {supplier.id} is of unknown kind {supplier.kind!r}", mend=f"use one of {known}", code="supplier_kind")
