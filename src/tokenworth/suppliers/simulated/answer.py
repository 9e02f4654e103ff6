"""How many tokens a simulated model reads and writes.

Its tokenizer: a token is a whitespace-separated word of the messages' texts; parts that are not text count nothing. The request's `seed`
picks the trace row; without one the messages' hash does, so the same messages get the same answer, streaming or not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tokenworth.core.ids import digest
from tokenworth.suppliers.body import encode

VOCABULARY = tuple("each token that a model makes has a cost and a price so count it once and settle it in full".split(" "))  # noqa: SIM905 - a sentence reads better


class TraceRow(Protocol):
    """A request of a trace: tokens in, of those cached, tokens out."""

    @property
    def input(self) -> int:
        """Tokens in."""
        ...

    @property
    def cached(self) -> int:
        """Tokens in that were in a prefix cache."""
        ...

    @property
    def output(self) -> int:
        """Tokens out."""
        ...


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """A model to simulate. `rows` gives its trace when it is first needed; the rest are limits in tokens."""

    rows: Callable[[], Sequence[TraceRow]]
    context: int = 131_072
    max_output: int = 16_384


@dataclass(frozen=True, slots=True)
class Answer:
    """Counts of one answer. `output` is that of each of the `choices`."""

    input: int
    cached: int
    output: int
    choices: int
    cut: bool
    """Whether the request's limit ended it: finish_reason `length`."""

    @property
    def text(self) -> str:
        """As many words as output tokens."""
        whole, rest = divmod(self.output, len(VOCABULARY))
        return " ".join(VOCABULARY * whole + VOCABULARY[:rest])


def answer(body: Mapping[str, Any], model: SimulatedModel) -> Answer:
    """Draw the answer to a request: the row's output, at most the request's and the model's limit."""
    rows = model.rows()
    row = rows[_seed(body) % len(rows)]
    words = sum(len(text.split()) for text in texts(body))
    limits = [body[name] for name in ("max_completion_tokens", "max_tokens") if isinstance(body.get(name), int)]
    limit = min([*limits, model.max_output])
    return Answer(
        input=words,
        cached=min(row.cached, words),
        output=min(row.output, limit),
        choices=body.get("n") or 1,
        cut=row.output > limit,
    )


def texts(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of all messages."""
    for message in body["messages"]:
        content = message.get("content")
        if isinstance(content, str):
            yield content
        elif isinstance(content, list):
            yield from (part["text"] for part in content if part.get("type") == "text")


def _seed(body: Mapping[str, Any]) -> int:
    seed = body.get("seed")
    return seed if isinstance(seed, int) else int(digest(encode(body["messages"]))[:16], 16)
