"""Streams fold into one response, so that they take the path of a whole one.

What providers state more than once are running totals, so the last one holds: adding them up would count tokens again. Sources: OpenAI's API
reference (`stream_options.include_usage`; events of the Responses API), Anthropic's page on streaming, Google's on streamGenerateContent.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tokenworth.core.errors import UsageError
from tokenworth.measure.usage.fields import Fields, shown

ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
"""Events of the Responses API that carry the whole response."""


def chat_chunks(chunks: Iterable[Any]) -> Mapping[str, Any]:
    """Return a response with the usage of a streamed chat completion's chunks, UsageError where no chunk has one.

    Every chunk may carry `usage`, which is null but in the last. What else changes prices is kept too.
    """
    response = _last(chunks, "usage", "model", "service_tier")
    if "usage" not in response:
        raise UsageError("no chunk of the stream has usage", mend="ask for it with stream_options.include_usage")
    return response


def message_events(events: Iterable[Any]) -> Mapping[str, Any]:
    """Return the message that a stream of Anthropic's events makes: counts of its start, and over them those of its end."""
    message: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    ended = False
    for event in _objects(events):
        fields = Fields(event, "event")
        kind = fields.text("type")
        if kind == "message_start":
            message = dict(fields.inner("message").values)
            fields = Fields(message, "message")
        if kind in ("message_start", "message_delta"):
            usage |= {name: value for name, value in fields.inner("usage").values.items() if value is not None}
        ended = ended or kind == "message_delta"
    if not ended:
        raise UsageError("the stream has no message_delta, which states its output", mend="estimate what broke off, and mark it")
    return {**message, "usage": usage}


def response_events(events: Iterable[Any]) -> Mapping[str, Any]:
    """Return the response that ends a stream of the Responses API's events, UsageError where none does."""
    whole = [event for event in _objects(events) if Fields(event, "event").text("type") in ENDS]
    if not whole:
        raise UsageError(f"the stream has none of the events {', '.join(sorted(ENDS))}", mend="estimate what broke off, and mark it")
    return Fields(whole[-1], "event").inner("response").values


def content_chunks(chunks: Iterable[Any]) -> Mapping[str, Any]:
    """Return the response that chunks of streamGenerateContent make: the last usageMetadata, and all candidates."""
    listed = list(_objects(chunks))
    response = _last(listed, "usageMetadata", "modelVersion")
    if "usageMetadata" not in response:
        raise UsageError("no chunk of the stream has usageMetadata", mend="estimate what broke off, and mark it")
    candidates = [one for chunk in listed for one in Fields(chunk, "chunk").listed("candidates") or ()]
    return {**response, "candidates": candidates}


def _last(chunks: Iterable[Any], *names: str) -> dict[str, Any]:
    """Return fields by name as the last chunk that states them does; a null states nothing."""
    return {name: chunk[name] for chunk in _objects(chunks) for name in names if chunk.get(name) is not None}


def _objects(chunks: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for at, chunk in enumerate(chunks):
        if not isinstance(chunk, Mapping):
            raise UsageError(f"chunk {at} of the stream is {shown(chunk)}, not an object")
        yield chunk
