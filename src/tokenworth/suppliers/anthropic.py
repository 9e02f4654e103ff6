"""Anthropic's API, or one like it: as any server over HTTP, with its own headers."""

from collections.abc import Mapping
from dataclasses import dataclass

from tokenworth.suppliers.openai import OpenAISupplier

VERSION = "2023-06-01"
"""Of the API, as its reference says; it is younger than its name, and the only one in use."""


@dataclass(slots=True)
class AnthropicSupplier(OpenAISupplier):
    """A base URL such as `https://api.anthropic.com/v1`, and its key (empty for none)."""

    def _credentials(self) -> Mapping[str, str]:
        version = {"anthropic-version": VERSION}
        return version | {"x-api-key": self.api_key} if self.api_key else version
