"""Which dialect reads the payloads of a provider's API."""

from collections.abc import Callable, Mapping
from typing import Any

from tokenworth.core.errors import UnknownUnitError
from tokenworth.measure.usage import anthropic, google, openai, openrouter
from tokenworth.measure.usage.metered import Metered
from tokenworth.measure.usage.stream import fold

DIALECTS: Mapping[tuple[str, str], Callable[[Any], Metered]] = {
    ("openai", "chat"): openai.chat,
    ("openai", "responses"): openai.responses,
    ("openai", "embeddings"): openai.embeddings,
    ("anthropic", "messages"): anthropic.messages,
    ("google", "generate_content"): google.generate_content,
    ("google", "anthropic"): anthropic.messages,
    ("openrouter", "chat"): openrouter.chat,
}
"""By provider and API. Google also serves Anthropic's models, with Anthropic's payloads."""

ALIASES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("openai", "chat.completions"): ("openai", "chat"),
    ("openai", "chat_completions"): ("openai", "chat"),
    ("openai", "default"): ("openai", "chat"),
    ("anthropic", "default"): ("anthropic", "messages"),
    ("google", "default"): ("google", "generate_content"),
    ("openrouter", "default"): ("openrouter", "chat"),
}
"""Other names in use."""


def meter(provider: str, api: str, payload: Any) -> Metered:
    """Read a payload with the dialect of (provider, api): a response, its usage object, or the list of a chat stream's chunks.

    Raises UnknownUnitError for an unknown dialect or class of tokens, UsageError where counts are missing or contradict each other.
    """
    name = (provider.lower(), api.lower())
    name = ALIASES.get(name, name)
    dialect = DIALECTS.get(name)
    if dialect is None:
        known = ", ".join(f"{p}/{a}" for p, a in DIALECTS)
        raise UnknownUnitError(f"there is no dialect for {provider}/{api}", mend=f"use one of {known}", code="unknown_dialect")
    return dialect(fold(payload) if isinstance(payload, list) and name[1] == "chat" else payload)
