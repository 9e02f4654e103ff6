"""A chat completion, whole or as chunks -> the neutral form."""

from collections.abc import Iterator, Mapping
from typing import Any

from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.wire.answer import as_object, as_objects, as_text
from tokenworth.flows.serve.wire.hub.answer import Answer, End, Event, Grow, Made, Open, Prove, Start, Stop
from tokenworth.flows.serve.wire.hub.conversation import Call, Declined, Reasoning, Text

STOPS = {"length": Stop.LIMIT, "tool_calls": Stop.CALLS, "function_call": Stop.CALLS, "content_filter": Stop.DECLINED}
"""By the reason to finish; any other is an end like `stop`."""


def read_answer(content: Mapping[str, Any]) -> Answer:
    """Read a whole answer of one choice."""
    choices = as_objects(content["choices"])
    if not choices:
        raise SupplierError("the supplier's answer has no choice", code="supplier_nonsense")
    message = as_object(choices[0].get("message"))
    parts: list[Made] = [*_thoughts(message)]
    if text := as_text(message.get("content")):
        parts.append(Text(text))
    if declined := as_text(message.get("refusal")):
        parts.append(Declined(declined))
    for call in as_objects(message.get("tool_calls")):
        function = as_object(call.get("function"))
        parts.append(Call(as_text(call.get("id")), as_text(function.get("name")), as_text(function.get("arguments"))))
    return Answer(as_text(content.get("id")), tuple(parts), STOPS.get(as_text(choices[0].get("finish_reason")), Stop.END))


def served_tier(content: Mapping[str, Any]) -> str:
    """Return the tier that was served."""
    return as_text(content.get("service_tier"))


def _plain(message: Mapping[str, Any]) -> str:
    return as_text(message.get("reasoning_content")) or as_text(message.get("reasoning"))


def _thoughts(message: Mapping[str, Any]) -> Iterator[Reasoning]:
    details = as_objects(message.get("reasoning_details"))
    yield from map(_thought, details)
    if not details and (plain := _plain(message)):
        yield Reasoning(plain)


def _thought(detail: Mapping[str, Any]) -> Reasoning:
    if detail.get("type") == "reasoning.encrypted":
        return Reasoning("", as_text(detail.get("data")), redacted=True)
    return Reasoning(as_text(detail.get("text")) or as_text(detail.get("summary")), as_text(detail.get("signature")))


class ChatReader:
    """Reads the chunks of one answer, of which the first choice counts."""

    def __init__(self) -> None:
        """Start to read."""
        self.usage: Mapping[str, Any] | None = None
        self.prompt_usage: Mapping[str, Any] | None = None
        self.tier = ""
        self.stopped = self.ended = False
        self._begun = False
        self._open: object = None
        """The kind of the part that is open; of a call, its index."""
        self._calls: set[int] = set()

    def read(self, content: Mapping[str, Any]) -> Iterator[Event]:
        """Yield what a chunk says."""
        self.usage = content.get("usage") or self.usage
        self.tier = as_text(content.get("service_tier")) or self.tier
        if not self._begun:
            self._begun = True
            yield Start(as_text(content.get("id")))
        for choice in as_objects(content.get("choices")):
            if choice.get("index") in (0, None):
                yield from self._delta(as_object(choice.get("delta")))
                if (reason := as_text(choice.get("finish_reason"))) and not self.stopped:
                    self.stopped = True
                    yield End(STOPS.get(reason, Stop.END))

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[Event]:
        details = as_objects(delta.get("reasoning_details"))
        for detail in details:
            yield from self._think(_thought(detail), detail.get("index"))
        if not details and (plain := _plain(delta)):
            yield from self._think(Reasoning(plain), None)
        for name, part in (("content", Text("")), ("refusal", Declined(""))):
            if text := as_text(delta.get(name)):
                yield from self._turn_to(name, part)
                yield Grow(text)
        for call in as_objects(delta.get("tool_calls")):
            yield from self._call(call)

    def _think(self, thought: Reasoning, index: Any) -> Iterator[Event]:
        if thought.redacted:
            self._open = "redacted"
            yield Open(thought)
            return
        yield from self._turn_to(f"reasoning {index}", Reasoning(""))
        if thought.text:
            yield Grow(thought.text)
        if thought.proof:
            yield Prove(thought.proof)

    def _turn_to(self, kind: str, part: Made) -> Iterator[Event]:
        if self._open != kind:
            self._open = kind
            yield Open(part)

    def _call(self, call: Mapping[str, Any]) -> Iterator[Event]:
        index, function = call.get("index"), as_object(call.get("function"))
        number = index if type(index) is int else len(self._calls)
        if self._open != number:
            if number in self._calls:
                raise SupplierError("the supplier went back to a call that had ended", code="supplier_nonsense")
            self._open = number
            self._calls.add(number)
            yield Open(Call(as_text(call.get("id")), as_text(function.get("name")), ""))
        if arguments := as_text(function.get("arguments")):
            yield Grow(arguments)
