"""Fields of a request for which no worst case can be proven, refused before anything is held; each with the reason.

A hold is priced for one model, its tokens and nothing else. Suppliers know fields that change the model, add fees, or bill what the answer does
not count; one that is not listed here passes through unread.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.flows.serve.refusal import Refusal, bad_request

OTHER_MODEL = "it lets the supplier answer with another model than was priced"
FEE = "it adds the supplier's fees per search, page or call to the tokens"
MORE_OUTPUT = "it bills output that the request's limit does not bound"
LATER = "the answer would end before what it used is known"
DEARER = "it changes the supplier's rates"

UNPRICEABLE: Mapping[str, str] = {
    # OpenRouter
    "models": OTHER_MODEL,
    "route": OTHER_MODEL,
    "preset": OTHER_MODEL,
    "provider": DEARER,
    "plugins": FEE,
    # LiteLLM's proxy
    "fallbacks": OTHER_MODEL,
    # OpenAI
    "web_search_options": FEE,
    "prediction": MORE_OUTPUT,
    "background": LATER,
    # xAI
    "search_parameters": FEE,
    "deferred": LATER,
    # Alibaba
    "enable_search": FEE,
    # Groq
    "search_settings": FEE,
    "compound_custom": FEE,
    # Anthropic
    "mcp_servers": FEE,
    "speed": DEARER,
    "inference_geo": DEARER,
    # vLLM
    "best_of": MORE_OUTPUT,
}
"""Reasons by the name of the field at the top of the body, under who is known to honour it."""

CLIENTS_TOOLS = frozenset({"function", "custom"})
"""Kinds of tools that the client itself runs; all others run at the supplier, for a fee, and put their results into the input."""


def check_priceable(body: Mapping[str, Any]) -> None:
    """Raise Refusal (400, unpriceable_field) where a field is set that makes the request's worst case unknown."""
    for name, value in body.items():
        if name in UNPRICEABLE and _is_set(name, value):
            raise _unpriceable(name, UNPRICEABLE[name])
    tools = body.get("tools")
    if tools is None:
        return
    if not isinstance(tools, list):
        raise bad_request("`tools` must be a list.", "tools")
    if not all(isinstance(tool, dict) and tool.get("type") in CLIENTS_TOOLS for tool in tools):
        raise _unpriceable("tools", f"only tools of type {' or '.join(sorted(CLIENTS_TOOLS))} cost nothing but tokens")


def _is_set(name: str, value: Any) -> bool:
    """Whether a field asks for something; an empty object of options asks for their defaults."""
    if name == "best_of" and value == 1:
        return False
    return value not in (None, False, "", [])


def _unpriceable(name: str, why: str) -> Refusal:
    return bad_request(f"`{name}` cannot be priced in advance: {why}. Leave it out.", name, code="unpriceable_field")
