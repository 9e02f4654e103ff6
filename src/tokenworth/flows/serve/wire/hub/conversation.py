"""A request in the neutral form.

`at` is where a part stands in the client's body, for errors; it is no part of what is said. Roles: `system`, `user`, `assistant`, `tool`. Each tool
result is a turn of its own, and consecutive turns of the assistant are one, since formats differ in how they group them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Cache:
    """A mark up to which the prompt is to be cached; `ttl` is empty for the supplier's default lifetime."""

    ttl: str = ""
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A text."""

    text: str
    cache: Cache | None = None
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Media:
    """An image, or a document: at a URL, or as base64 of a media type. `detail` is how closely an image is looked at; `name` is the document's."""

    kind: str
    url: str = ""
    media_type: str = ""
    data: str = ""
    detail: str = ""
    name: str = ""
    cache: Cache | None = None
    at: str = field(default="", compare=False)
    detail_at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model thought. `proof` is what its supplier needs to know it again; `redacted` where there is nothing but that."""

    text: str
    proof: str = ""
    redacted: bool = False
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool; `arguments` are JSON."""

    id: str
    name: str
    arguments: str
    cache: Cache | None = None
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What a call of a tool returned."""

    call: str
    parts: tuple[Text | Media, ...]
    error: bool = False
    cache: Cache | None = None
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Declined:
    """What the model said instead of an answer."""

    text: str
    at: str = field(default="", compare=False)


Part = Text | Media | Reasoning | Call | Result | Declined


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said at a time."""

    role: str
    parts: tuple[Part, ...]
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the client runs. `schema` is that of its arguments, None where it has none; `strict` where they must match it."""

    name: str
    description: str = ""
    schema: Any = None
    strict: bool | None = None
    cache: Cache | None = None
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of the answer: JSON of a schema, or any JSON object where there is no schema."""

    schema: Any = None
    name: str = ""
    description: str = ""
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Conversation:
    """A whole request. What is None or empty was not asked for. `at` has the client's field by the name of ours."""

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    choice: str = ""
    """Whether tools are called: `auto`, `none`, `required`, or `only` the one that is `chosen`."""
    chosen: str = ""
    parallel: bool | None = None
    output_limit: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    shape: Shape | None = None
    effort: str = ""
    thinking: str = ""
    """`adaptive` where the model is to think, as much as it decides."""
    verbosity: str = ""
    user: str = ""
    metadata: Mapping[str, Any] | None = None
    cache_key: str = ""
    at: Mapping[str, str] = field(default_factory=dict, compare=False)


def grouped(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return turns of which no two of the assistant follow each other."""
    found: list[Turn] = []
    for turn in turns:
        if found and turn.role == found[-1].role == "assistant":
            found[-1] = replace(found[-1], parts=found[-1].parts + turn.parts)
        else:
            found.append(turn)
    return tuple(found)
