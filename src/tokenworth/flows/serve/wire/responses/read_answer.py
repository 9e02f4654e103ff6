"""A response, whole or as events -> the neutral form."""

from collections.abc import Iterator, Mapping
from typing import Any

from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.wire.answer import as_object, as_objects, as_text
from tokenworth.flows.serve.wire.hub.answer import Answer, End, Event, Grow, Made, Open, Prove, Start, Stop
from tokenworth.flows.serve.wire.hub.conversation import Call, Declined, Reasoning, Text
from tokenworth.flows.serve.wire.responses.proof import joined

ENDS = frozenset({"response.completed", "response.incomplete"})
GROWTH: Mapping[str, Made] = {
    "response.output_text.delta": Text(""),
    "response.refusal.delta": Declined(""),
    "response.reasoning_summary_text.delta": Reasoning(""),
    "response.reasoning_text.delta": Reasoning(""),
}
"""Events that carry more of a part, with the part; those of calls are beside them, since a call begins with its item."""


def read_answer(content: Mapping[str, Any]) -> Answer:
    """Read a whole response."""
    if content.get("status") == "failed":
        raise SupplierError("the supplier says that its response failed", code="supplier_failed")
    parts = [part for item in as_objects(content["output"]) for part in _parts(item)]
    return Answer(as_text(content.get("id")), tuple(parts), _stop(content, parts))


def served_tier(content: Mapping[str, Any]) -> str:
    """Return the tier that was served."""
    return as_text(content.get("service_tier"))


def _parts(item: Mapping[str, Any]) -> Iterator[Made]:
    kind = item.get("type")
    if kind == "message":
        for part in as_objects(item.get("content")):
            yield Declined(as_text(part.get("refusal"))) if part.get("type") == "refusal" else Text(as_text(part.get("text")))
    elif kind == "function_call":
        yield Call(as_text(item.get("call_id")), as_text(item.get("name")), as_text(item.get("arguments")))
    elif kind == "reasoning":
        texts = [as_text(part.get("text")) for name in ("summary", "content") for part in as_objects(item.get(name))]
        proof = _proof(item)
        if texts or proof:
            yield Reasoning("\n\n".join(texts), proof, redacted=not texts)


def _proof(item: Mapping[str, Any]) -> str:
    return joined(as_text(item.get("id")), as_text(item.get("encrypted_content")))


def _stop(response: Mapping[str, Any], parts: list[Made]) -> Stop:
    if response.get("status") == "incomplete":
        filtered = as_object(response.get("incomplete_details")).get("reason") == "content_filter"
        return Stop.DECLINED if filtered else Stop.LIMIT
    return Stop.CALLS if any(isinstance(part, Call) for part in parts) else Stop.END


class ResponseReader:
    """Reads the events of one response."""

    def __init__(self) -> None:
        """Start to read."""
        self.usage: Mapping[str, Any] | None = None
        self.prompt_usage: Mapping[str, Any] | None = None
        self.tier = ""
        self.stopped = self.ended = False
        self._open: tuple[Any, ...] = ()
        """Item, part and kind that are open."""

    def read(self, content: Mapping[str, Any]) -> Iterator[Event]:
        """Yield what an event says."""
        kind = as_text(content.get("type"))
        if kind == "response.created":
            yield Start(as_text(as_object(content.get("response")).get("id")))
        elif kind in GROWTH:
            yield from self._grow(content, GROWTH[kind])
        elif kind == "response.output_item.added":
            yield from self._added(as_object(content.get("item")))
        elif kind == "response.function_call_arguments.delta" and (text := as_text(content.get("delta"))):
            yield Grow(text)
        elif kind == "response.output_item.done":
            yield from self._done(content)
        elif kind in ENDS:
            yield from self._end(as_object(content.get("response")))

    def _grow(self, content: Mapping[str, Any], part: Made) -> Iterator[Event]:
        where = (content.get("output_index"), content.get("content_index"), type(part))
        if self._open != where:
            self._open = where
            yield Open(part)
        elif isinstance(part, Reasoning) and content.get("summary_index") != self._summary:
            yield Grow("\n\n")
        self._summary = content.get("summary_index")
        if text := as_text(content.get("delta")):
            yield Grow(text)

    def _added(self, item: Mapping[str, Any]) -> Iterator[Event]:
        if item.get("type") == "function_call":
            self._open = ()
            yield Open(Call(as_text(item.get("call_id")), as_text(item.get("name")), ""))

    def _done(self, content: Mapping[str, Any]) -> Iterator[Event]:
        item = as_object(content.get("item"))
        if item.get("type") != "reasoning" or not (proof := _proof(item)):
            return
        if self._open[:1] == (content.get("output_index"),):
            yield Prove(proof)
        else:
            yield Open(Reasoning("", proof, redacted=True))
        self._open = ()

    def _end(self, response: Mapping[str, Any]) -> Iterator[Event]:
        self.usage = response.get("usage") or None
        self.tier = served_tier(response)
        self.stopped = self.ended = True
        yield End(_stop(response, [part for item in as_objects(response.get("output")) for part in _parts(item)]))

    _summary: Any = None
    """Which summary of the reasoning that is open is growing."""
