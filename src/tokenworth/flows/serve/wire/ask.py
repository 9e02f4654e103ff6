"""A parsed request as far as routing, holding and metering need it, and the bounds that its hold is priced at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.book.model import Model
from tokenworth.core.units import MAX_COUNT, UNITS
from tokenworth.flows.serve.refusal import bad_request
from tokenworth.price.worst import TEXT, Bounds

MODALITIES = frozenset(unit.modality for unit in UNITS.values()) - {""}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request in the format `api`. `size` is the bytes of its body; `output_limit` is per choice, None where it states none."""

    api: str
    body: Mapping[str, Any]
    size: int
    product: str
    tier: str
    stream: bool
    output_limit: int | None
    choices: int
    text_only: bool
    prompt_fields: tuple[str, ...]
    """Fields of the body that hold the prompt."""
    prompts: int = 1
    """Prompts that are answered each for itself, with a context of its own."""
    prompt_tokens: int = 0
    """Tokens of the prompt that are stated as numbers, not as text."""
    betas: str = ""
    """What Anthropic's client wants to try, as its header says it."""

    @property
    def prompt(self) -> list[Any]:
        """What of the body is the prompt, texts somewhere inside."""
        return [self.body.get(name) for name in self.prompt_fields]


def bounds(ask: Ask, model: Model) -> Bounds:
    """Return the most that a request can use: what its hold is priced at.

    Recorded assumptions. Input: a token is at least one byte of the body, and the supplier adds at most the model's `input_allowance`;
    content that is not text has no such bound, so it counts as the whole context and any modality. Output: the request's own limit (the
    larger, where it states both) or the model's maximum, for each of `n` choices. Each prompt has a context of its own. Raises Refusal
    (400) where no single event could carry the counts.
    """
    limit = model.max_output if ask.output_limit is None else min(ask.output_limit, model.max_output)
    output = limit * ask.choices
    if output > MAX_COUNT:
        raise bad_request(f"{ask.choices} choices of up to {limit} tokens are more than one request may have.", "n")
    context = min(model.context * ask.prompts, MAX_COUNT)
    if not ask.text_only:
        return Bounds(context, output, MODALITIES)
    return Bounds(min(ask.size + model.input_allowance * ask.prompts, context), output, TEXT)
