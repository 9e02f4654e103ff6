"""Every format by its name, and the bridge for a format and a supplier."""

from collections.abc import Mapping

from tokenworth.book.model import Supplier
from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire import chat
from tokenworth.flows.serve.wire.format import Bridge, Format

FORMATS: Mapping[str, Format] = {made.api: made for made in (chat.FORMAT,)}
"""What clients may speak."""

SPOKEN: Mapping[str, tuple[str, ...]] = {"openai": ("chat",), "fleet": ("chat",), "simulated": ("chat",)}
"""Formats of suppliers by their kind."""

BRIDGES: Mapping[tuple[str, str], Bridge] = {("chat", "chat"): chat.SAME}
"""By the client's format and the supplier's."""


def find_bridge(api: str, supplier: Supplier) -> Bridge:
    """Return the bridge from a client's format to a supplier, the same format where the supplier speaks it; Refusal (400) where there is none."""
    spoken = SPOKEN[supplier.kind]
    for name in sorted(spoken, key=lambda name: name != api):
        if bridge := BRIDGES.get((api, name)):
            return bridge
    raise bad_request(f"This model is not served on the format of {FORMATS[api].path}.", "model", code="unsupported_format")
