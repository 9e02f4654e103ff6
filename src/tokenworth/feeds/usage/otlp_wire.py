"""The two encodings of OTLP's ExportTraceServiceRequest, read to the same spans, and its answers.

JSON is not protobuf's own mapping: ids are hexadecimal, and 64-bit numbers are texts (OTLP specification, "JSON Protobuf Encoding").
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tokenworth.core.errors import InputError

PROTOBUF, JSON = "application/x-protobuf", "application/json"
HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Span:
    """A span with its resource's attributes under its own; `id` is trace id and span id in hexadecimal, times are nanoseconds since 1970."""

    id: str
    start: int
    end: int
    attributes: Mapping[str, Any]


def spans(body: bytes, *, protobuf: bool) -> Iterator[Span]:
    """Return an iterator over the spans of a request; InputError where it is none."""
    return _from_protobuf(body) if protobuf else _from_json(body)


def answer(rejected: int, why: str, *, protobuf: bool) -> bytes:
    """Return an ExportTraceServiceResponse; `why` tells of the spans that were rejected."""
    if not protobuf:
        return orjson.dumps({"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": why}} if rejected else {})
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceResponse  # noqa: PLC0415

    partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=why) if rejected else None
    return bytes(ExportTraceServiceResponse(partial_success=partial).SerializeToString())


def failure(code: int, why: str, *, protobuf: bool) -> bytes:
    """Return a google.rpc.Status, which OTLP answers failures with; `code` is one of its codes."""
    if not protobuf:
        return orjson.dumps({"code": code, "message": why})
    # field 1, a varint below 128; field 2, a text
    text = why.encode()[:1000]
    return bytes([0x08, code, 0x12]) + _varint(len(text)) + text


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _from_protobuf(body: bytes) -> Iterator[Span]:
    # a tenth of a second, which only who sends protobuf needs to wait for
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise InputError(f"the body is no ExportTraceServiceRequest: {error}", mend="send OTLP traces as protobuf", code="invalid_protobuf") from None
    return _messages_of(request)


def _messages_of(request: Any) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _pairs(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                id_ = _id(span.trace_id.hex(), span.span_id.hex())
                yield Span(id_, span.start_time_unix_nano, span.end_time_unix_nano, {**resource, **_pairs(span.attributes)})


def _pairs(attributes: Iterable[Any]) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: Any) -> Any:
    """Return a plain value of protobuf's AnyValue; lists and maps hold prompts, and are not read."""
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in ("string_value", "bool_value", "int_value", "double_value") else None


def _from_json(body: bytes) -> Iterator[Span]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}", mend="send OTLP traces", code="invalid_json") from None
    return spans_of(content)


def spans_of(content: Any) -> Iterator[Span]:
    """Return an iterator over the spans of a request in OTLP's JSON; InputError where it is none."""
    try:
        return iter(list(_json_spans(content)))
    except (AttributeError, KeyError, TypeError, ValueError):
        what = "this is not shaped as an ExportTraceServiceRequest"
        raise InputError(what, mend="send OTLP traces in its JSON encoding", code="invalid_json") from None


def _json_spans(content: Any) -> Iterator[Span]:
    for group in content.get("resourceSpans") or ():
        resource = dict(_json_pairs((group.get("resource") or {}).get("attributes")))
        for scope in group.get("scopeSpans") or ():
            for span in scope.get("spans") or ():
                id_ = _id(str(span.get("traceId", "")).lower(), str(span.get("spanId", "")).lower())
                start, end = (int(span.get(name) or 0) for name in ("startTimeUnixNano", "endTimeUnixNano"))
                yield Span(id_, start, end, {**resource, **dict(_json_pairs(span.get("attributes")))})


def _json_pairs(attributes: Any) -> Iterator[tuple[str, Any]]:
    for each in attributes or ():
        value = each.get("value") or {}
        if "intValue" in value:
            yield each["key"], int(value["intValue"])
        else:
            yield each["key"], next((value[name] for name in ("stringValue", "boolValue", "doubleValue") if name in value), None)


def _id(trace: str, span: str) -> str:
    """Return both ids, or nothing where one is not what the specification wants: 16 and 8 bytes, not all zero."""
    fit = len(trace) == 32 and len(span) == 16 and HEX.issuperset(trace + span) and trace.strip("0") and span.strip("0")
    return f"{trace}:{span}" if fit else ""
