"""OpenTelemetry's spans in both encodings, as its own SDK makes them."""

import importlib
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans as encode_json
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tokenworth.core.errors import InputError
from tokenworth.feeds.usage import otlp, otlp_wire
from tokenworth.flows.elsewhere.reported import Read
from tokenworth.measure.usage import opentelemetry
from tokenworth.wiring import tracing

AT = 1_790_000_000_000_000
CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5.4-mini",
    "gen_ai.response.model": "gpt-5.4-mini-2026-03-17",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.cache_read.input_tokens": 1024,
    "gen_ai.usage.output_tokens": 300,
    "gen_ai.usage.reasoning.output_tokens": 120,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "tokenworth.customer": "ada",
}


def spans(*attributes: Mapping[str, Any], resource: Mapping[str, Any] | None = None) -> list[ReadableSpan]:
    """Return spans of the SDK, of which each lasted two seconds."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource(dict(resource or {})), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    for each in attributes:
        span = provider.get_tracer("test").start_span("chat", attributes=dict(each), start_time=AT * 1000)
        span.end(end_time=AT * 1000 + 2 * 10**9)
    return list(kept.get_finished_spans())


def read(made: list[ReadableSpan], encoding: str) -> list[Read]:
    if encoding == "protobuf":
        return list(otlp.read(otlp_wire.spans(encode_spans(made).SerializeToString(), protobuf=True)))
    return list(otlp.read(otlp_wire.spans(orjson.dumps(encode_json(made).to_dict()), protobuf=False)))


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_span_is_a_use(encoding: str) -> None:
    made = spans(CALL | {"tokenworth.tier": "flex", "tokenworth.product": "chat"})
    (found,) = read(made, encoding)
    reported = found.found
    assert reported is not None, found.problems
    context = made[0].get_span_context()
    assert context is not None
    assert reported.id == f"{context.trace_id:032x}:{context.span_id:016x}"
    assert (reported.customer, reported.product, reported.tier) == ("ada", "chat", "flex")
    assert (reported.at, reported.ended, reported.first_token) == (AT, AT + 2_000_000, 250_000)
    # cached tokens are inside the input, reasoning inside the output
    assert reported.counts == {"input": 176, "cache_read": 1024, "output": 180, "reasoning": 120}
    assert reported.served == ("gpt-5.4-mini-2026-03-17", "gpt-5.4-mini")


def test_both_encodings_say_the_same() -> None:
    made = spans(CALL, CALL | {"gen_ai.usage.output_tokens": 301})
    first, second = (read(made, encoding) for encoding in ("protobuf", "json"))
    assert [each.found for each in first] == [each.found for each in second]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_the_resource_may_say_whose_it_is(encoding: str) -> None:
    call = {name: value for name, value in CALL.items() if name != "tokenworth.customer"}
    (found,) = read(spans(call, resource={"service.name": "app", "tokenworth.customer": "bob"}), encoding)
    assert found.found is not None
    assert found.found.customer == "bob"


def test_agents_tools_and_all_the_rest_are_passed_over() -> None:
    """An agent's span repeats what the calls under it used."""
    others = [CALL | {"gen_ai.operation.name": name} for name in ("invoke_agent", "execute_tool", "invoke_workflow", "create_agent", "retrieval")]
    found = read(spans(CALL, *others, {"http.request.method": "POST"}), "protobuf")
    assert [bool(each.found) for each in found] == [True] + [False] * 6
    assert not any(each.problems for each in found)


def test_older_names_of_the_counts_are_read() -> None:
    attributes = {"gen_ai.system": "openai", "gen_ai.request.model": "m", "gen_ai.usage.prompt_tokens": 5, "gen_ai.usage.completion_tokens": 2}
    (found,) = read(spans(attributes | {"tokenworth.customer": "ada"}), "json")
    assert found.found is not None
    assert found.found.counts == {"input": 5, "output": 2}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in CALL.items() if name not in names}


USAGE = tuple(name for name in CALL if name.startswith("gen_ai.usage."))
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no customer": (without("tokenworth.customer"), "missing_field", "tokenworth.customer"),
    "no usage is not free": (without(*USAGE), "no_usage", "gen_ai.usage"),
    "more cached than read": (CALL | {"gen_ai.usage.cache_read.input_tokens": 1201}, "bad_usage", "gen_ai.usage"),
    "a class that nobody knows": (CALL | {"gen_ai.usage.image.input_tokens": 7}, "unknown_unit", "gen_ai.usage"),
    "a fraction": (CALL | {"gen_ai.usage.input_tokens": 1.5}, "bad_usage", "gen_ai.usage"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_what_is_wrong(case: str, encoding: str) -> None:
    attributes, code, field = WRONG[case]
    (found,) = read(spans(attributes), encoding)
    assert [(each.code, each.field) for each in found.problems] == [(code, field)]


def test_a_span_that_is_not_over_or_has_no_id() -> None:
    content = encode_json(spans(CALL)).to_dict()
    span = content["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    del span["endTimeUnixNano"]
    span["traceId"] = "0" * 32
    (found,) = otlp.read(otlp_wire.spans(orjson.dumps(content), protobuf=False))
    assert {each.field for each in found.problems} == {"endTimeUnixNano", "spanId"}


@pytest.mark.parametrize(
    ("body", "protobuf"),
    [(b"\xff\xff", True), (b"{", False), (b"[]", False), (b'{"resourceSpans": 3}', False), (b'{"resourceSpans": [{"resource": 3}]}', False)],
)
def test_what_is_no_request_is_refused_whole(body: bytes, protobuf: bool) -> None:
    with pytest.raises(InputError):
        list(otlp_wire.spans(body, protobuf=protobuf))


def test_our_names_are_those_of_the_conventions() -> None:
    module = importlib.import_module("opentelemetry.semconv._incubating.attributes.gen_ai_attributes")
    known = {value for name, value in vars(module).items() if name.startswith("GEN_AI_")}
    told = {
        name
        for name in (*CALL, *(opentelemetry.PREFIX + name for name in (*opentelemetry.INPUT, *opentelemetry.OUTPUT)))
        if name.startswith("gen_ai.")
    }
    assert told <= known
    providers = {each.value for each in module.GenAiProviderNameValues}
    assert set(tracing.PROVIDERS.values()) <= providers
    assert {each.value for each in module.GenAiOperationNameValues} >= otlp.CALLS
