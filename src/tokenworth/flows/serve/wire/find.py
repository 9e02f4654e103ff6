"""Every format by its name, and the bridge for a format and a supplier."""

from collections.abc import Mapping

from tokenworth.book.model import Supplier
from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire import chat, embeddings, messages, responses
from tokenworth.flows.serve.wire.format import Bridge, Format
from tokenworth.flows.serve.wire.hub.bridge import bridge

FORMATS: Mapping[str, Format] = {made.api: made for made in (chat.FORMAT, messages.FORMAT, responses.FORMAT, embeddings.FORMAT)}
"""What clients may speak."""

SPOKEN: Mapping[str, tuple[str, ...]] = {
    "openai": ("chat", "embeddings"),
    "anthropic": ("messages",),
    "fleet": ("chat", "embeddings"),
    "simulated": ("chat", "embeddings"),
}
"""Formats of suppliers by their kind, where the book does not state them; others become the first that can carry them."""

BRIDGES: Mapping[tuple[str, str], Bridge] = {
    **{
        (client.format.api, supplier.api): bridge(client, supplier)
        for client in (chat.CLIENT, messages.CLIENT, responses.CLIENT)
        for supplier in (chat.SUPPLIER, messages.SUPPLIER, responses.SUPPLIER)
    },
    **{(made.api, made.api): made for made in (chat.SAME, messages.SAME, responses.SAME, embeddings.SAME)},
}
"""By the client's format and the supplier's."""


def spoken(supplier: Supplier) -> tuple[str, ...]:
    """Return the formats that a supplier speaks."""
    return supplier.speaks or SPOKEN[supplier.kind]


def find_bridge(api: str, supplier: Supplier) -> Bridge:
    """Return the bridge from a client's format to a supplier, the same format where the supplier speaks it; Refusal (400) where there is none."""
    for name in sorted(spoken(supplier), key=lambda name: name != api):
        if found := BRIDGES.get((api, name)):
            return found
    raise bad_request(f"This model is not served on the format of {FORMATS[api].path}.", "model", code="unsupported_format")
