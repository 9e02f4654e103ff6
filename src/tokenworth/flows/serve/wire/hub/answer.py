"""An answer in the neutral form: whole, or as events. Its parts come one after another; a part ends where the next one begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tokenworth.flows.serve.wire.answer import as_object, as_text
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.hub.conversation import Call, Declined, Reasoning, Text
from tokenworth.measure.usage.counts import Usage

Made = Text | Reasoning | Call | Declined
"""What a model makes."""


class Stop(StrEnum):
    """Why an answer ended."""

    END = "end"
    LIMIT = "limit"
    SEQUENCE = "sequence"
    CALLS = "calls"
    DECLINED = "declined"
    CONTEXT = "context"
    """The context window was full."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, without its usage. `sequence` is the stop sequence that ended it, where it is known."""

    id: str
    parts: tuple[Made, ...]
    stop: Stop
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """An answer begins."""

    id: str


@dataclass(frozen=True, slots=True)
class Open:
    """A part begins, with what of it is known."""

    part: Made


@dataclass(frozen=True, slots=True)
class Grow:
    """More text of the part that is open: of a call, of its arguments."""

    text: str


@dataclass(frozen=True, slots=True)
class Prove:
    """The proof of the reasoning that is open."""

    proof: str


@dataclass(frozen=True, slots=True)
class End:
    """The last part ends, and the answer with it."""

    stop: Stop
    sequence: str = ""


Event = Start | Open | Grow | Prove | End


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer says beside what the model made. `created` is in seconds, `tier` the one that is charged."""

    ask: Ask
    created: int
    tier: str


@dataclass(frozen=True, slots=True)
class Told:
    """An error of a supplier."""

    message: str
    code: str = ""


def told(content: Mapping[str, Any]) -> Told | None:
    """Return the error that an object carries, None where there is none: in `error`, or as events of responses have it."""
    error = content.get("error")
    if content.get("type") == "response.failed":
        error = as_object(content.get("response")).get("error") or {}
    elif content.get("type") == "error" and not isinstance(error, dict):
        error = content
    if not isinstance(error, dict):
        return None
    code = as_text(error.get("code")) or as_text(error.get("type"))
    return Told(as_text(error.get("message")) or "The supplier gave no reason.", "" if code == "error" else code)


def whole_usage(usage: Usage) -> tuple[int, int, int]:
    """Return the input tokens that were read from a cache, those that were written to one, and all others."""
    counts = usage.counts
    read = sum(count for name, count in counts.items() if name.startswith("cache_read"))
    written = sum(count for name, count in counts.items() if name.startswith("cache_write"))
    return read, written, usage.input_tokens - read - written
