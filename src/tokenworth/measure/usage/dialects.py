"""Which dialect reads the payloads of a provider's API.

Names of providers are those of the price list, so that one name finds both the dialect and the prices.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.core.errors import UnknownUnitError
from tokenworth.measure.usage import anthropic, google, openai, openrouter, stream
from tokenworth.measure.usage.metered import Metered


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a response or its usage object is read, and how the list of a stream's chunks or events folds into one (None where none streams)."""

    read: Callable[[Any], Metered]
    fold: Callable[[Iterable[Any]], Mapping[str, Any]] | None


CHAT = Dialect(openai.chat, stream.chat_chunks)
RESPONSES = Dialect(openai.responses, stream.response_events)
EMBEDDINGS = Dialect(openai.embeddings, None)
MESSAGES = Dialect(anthropic.messages, stream.message_events)

SPEAK_OPENAI = (
    "openai",
    "azure",
    "baseten",
    "cerebras",
    "cloudflare",
    "deepseek",
    "fireworks",
    "groq",
    "minimax",
    "mistral",
    "moonshotai",
    "novita",
    "ovhcloud",
    "together",
    "zai",
    "zhipuai",
)
"""Whose chat completions count as OpenAI's do. (Perplexity's do not: it bills reasoning, citations and searches beside them.)"""

SERVE_CLAUDE = ("anthropic", "aws", "azure", "google")
"""Who serves Anthropic's models with Anthropic's payloads."""

DIALECTS: Mapping[tuple[str, str], Dialect] = {
    **{(provider, "chat"): CHAT for provider in SPEAK_OPENAI},
    ("openrouter", "chat"): Dialect(openrouter.chat, stream.chat_chunks),
    ("x-ai", "chat"): Dialect(openai.chat_with_thoughts_beside, stream.chat_chunks),
    ("openai", "responses"): RESPONSES,
    ("azure", "responses"): RESPONSES,
    ("openai", "embeddings"): EMBEDDINGS,
    ("azure", "embeddings"): EMBEDDINGS,
    **{(provider, "messages"): MESSAGES for provider in SERVE_CLAUDE},
    ("google", "generate_content"): Dialect(google.generate_content, stream.content_chunks),
}
"""By provider and API."""

PROVIDERS: Mapping[str, str] = {
    "azure-openai": "azure",
    "bedrock": "aws",
    "moonshot": "moonshotai",
    "together-ai": "together",
    "together_ai": "together",
    "vertex": "google",
    "x.ai": "x-ai",
    "xai": "x-ai",
}
"""Other names of providers in use."""

APIS: Mapping[str, str] = {"anthropic": "messages", "chat.completions": "chat", "chat_completions": "chat"}
"""Other names of APIs in use."""

DEFAULTS: Mapping[str, str] = {"anthropic": "messages", "google": "generate_content"}
"""The API that `default` means; chat for all others."""


def provider_id(provider: str) -> str:
    """Return the name that the tables and the price list have for a provider; an unknown one as it stands."""
    name = provider.lower()
    return PROVIDERS.get(name, name)


def find(provider: str, api: str) -> Dialect | None:
    """Return the dialect of (provider, api) under any of their names, None where there is none."""
    owner, name = provider_id(provider), api.lower()
    name = DEFAULTS.get(owner, "chat") if name == "default" else APIS.get(name, name)
    return DIALECTS.get((owner, name))


def meter(provider: str, api: str, payload: Any) -> Metered:
    """Read a payload with the dialect of (provider, api): a response, its usage object, or the list of a stream's chunks or events.

    Raises UnknownUnitError for an unknown dialect or class of tokens, UsageError where counts are missing or contradict each other.
    """
    dialect = find(provider, api)
    if dialect is None:
        known = ", ".join(f"{p}/{a}" for p, a in DIALECTS)
        raise UnknownUnitError(f"there is no dialect for {provider}/{api}", mend=f"use one of {known}", code="unknown_dialect")
    return dialect.read(dialect.fold(payload) if dialect.fold and isinstance(payload, list) else payload)
