"""Fields of a request for which no worst case can be proven, refused before anything is held; each with the reason.

A hold is priced for one model, its tokens and nothing else. Suppliers know fields that change the model, add fees, or bill what the answer does
not count; one that is not listed here passes through unread.
"""

from collections.abc import Callable, Mapping
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
    # LiteLLM's proxy, and Anthropic
    "fallbacks": OTHER_MODEL,
    # OpenAI
    "web_search_options": FEE,
    "prediction": MORE_OUTPUT,
    "background": LATER,
    # OpenAI's responses, and Anthropic, unless it only clears: a summary of the conversation is made and billed beside the answer
    "context_management": MORE_OUTPUT,
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
    "container": FEE,
    "speed": DEARER,
    "inference_geo": DEARER,
    # vLLM
    "best_of": MORE_OUTPUT,
}
"""Reasons by the name of the field at the top of the body, under who is known to honour it."""

STANDARD = {"best_of": 1, "speed": "standard", "inference_geo": "global"}
"""What some of these fields say to ask for nothing."""


def check_fields(body: Mapping[str, Any]) -> None:
    """Raise Refusal (400, unpriceable_field) where a field is set that makes the request's worst case unknown."""
    for name, value in body.items():
        if name in UNPRICEABLE and _is_set(name, value):
            raise _unpriceable(name, UNPRICEABLE[name])


def check_tools(tools: Any, is_clients: Callable[[Mapping[str, Any]], bool], kinds: str, param: str = "tools") -> list[dict[str, Any]]:
    """Return the tools; Refusal (400) where one is not run by the client. `kinds` names those that are.

    All others run at the supplier, for a fee, and put what they find into the input.
    """
    if tools is None:
        return []
    if not isinstance(tools, list):
        raise bad_request(f"`{param}` must be a list.", param)
    if not all(isinstance(tool, dict) and is_clients(tool) for tool in tools):
        raise _unpriceable(param, f"only tools of type {kinds} cost nothing but tokens")
    return tools


def _is_set(name: str, value: Any) -> bool:
    """Whether a field asks for something; an empty object of options asks for their defaults."""
    if name == "context_management" and isinstance(value, dict) and isinstance(value.get("edits", []), list):
        return not all(isinstance(edit, dict) and str(edit.get("type")).startswith("clear_") for edit in value.get("edits", []))
    return value not in (None, False, "", []) and not (name in STANDARD and value == STANDARD[name])


def _unpriceable(name: str, why: str) -> Refusal:
    return bad_request(f"`{name}` cannot be priced in advance: {why}. Leave it out.", name, code="unpriceable_field")
