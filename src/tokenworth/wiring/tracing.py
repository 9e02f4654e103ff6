"""A span for each request that was held, in OpenTelemetry's semantic conventions for GenAI 0.66b2, exported by OTLP.

Spans are made of usage events, so no prompt, no answer and no key can be in one. Where to send them is said in OpenTelemetry's own variables,
such as OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tokenworth.book.model import Book
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.extras import need
from tokenworth.core.money import format_amount
from tokenworth.core.units import UNITS, unit
from tokenworth.flows.observe.current import Seen

NANOS_PER_MICRO = 1_000
OPERATIONS: Mapping[str, str] = {"embeddings": "embeddings"}
"""By the event's api; `chat` for all others."""
PROVIDERS: Mapping[str, str] = {"azure": "azure.ai.openai", "aws": "aws.bedrock", "google": "gcp.gemini", "mistral": "mistral_ai", "x-ai": "x_ai"}
"""The conventions' names of providers, by those of the price list, where they differ."""

Told = Callable[[UsageEvent, Seen | None], None]


@contextmanager
def tracing(book: Book, *, on: bool, exporter: Any = None) -> Iterator[Told]:
    """Give what makes spans of events, until the block ends; nothing where it is off. TokenworthError where the extra is not installed."""
    if not on:
        yield lambda _, __: None
        return
    sdk, export = need("opentelemetry.sdk.trace", "otel"), need("opentelemetry.sdk.trace.export", "otel")
    resources = need("opentelemetry.sdk.resources", "otel")
    over = exporter or need("opentelemetry.exporter.otlp.proto.http.trace_exporter", "otel").OTLPSpanExporter()
    # a name that OTEL_SERVICE_NAME overrides
    resource = resources.Resource({"service.name": "tokenworth"}).merge(resources.OTELResourceDetector().detect())
    provider = sdk.TracerProvider(resource=resource)
    provider.add_span_processor(export.BatchSpanProcessor(over))
    tracer = provider.get_tracer("tokenworth")
    try:
        yield lambda event, seen: _span(tracer, book, event, seen)
    finally:
        provider.shutdown()


def _span(tracer: Any, book: Book, event: UsageEvent, seen: Seen | None) -> None:
    api = need("opentelemetry.trace", "otel")
    propagation = need("opentelemetry.trace.propagation.tracecontext", "otel")
    told = seen.header(b"traceparent") if seen is not None else ""
    parent = propagation.TraceContextTextMapPropagator().extract({"traceparent": told}) if told else None
    span = tracer.start_span(
        f"{OPERATIONS.get(event.api, 'chat')} {event.product}",
        context=parent,
        kind=api.SpanKind.CLIENT,
        attributes=attributes(book, event),
        start_time=event.at * NANOS_PER_MICRO,
    )
    if event.status in (Status.FAILED, Status.LOST):
        span.set_status(api.Status(api.StatusCode.ERROR, event.alarm))
    span.end(end_time=max(event.ended, event.at) * NANOS_PER_MICRO)


def attributes(book: Book, event: UsageEvent) -> dict[str, Any]:
    """Return what a span says of an event."""
    model = book.models.get(event.model)
    provider = model.list_price.partition("/")[0] if model is not None and model.list_price else event.supplier
    told: dict[str, Any] = {
        "gen_ai.operation.name": OPERATIONS.get(event.api, "chat"),
        "gen_ai.provider.name": PROVIDERS.get(provider, provider),
        "gen_ai.request.model": event.product,
        "gen_ai.response.model": model.name if model is not None else event.model,
        "gen_ai.usage.input_tokens": _sum(event, "input"),
        "gen_ai.usage.output_tokens": _sum(event, "output"),
        "gen_ai.usage.cache_read.input_tokens": _sum(event, "input", cache="read"),
        "gen_ai.usage.cache_creation.input_tokens": _sum(event, "input", cache="write"),
        "gen_ai.usage.reasoning.output_tokens": _sum(event, "output", kind="reasoning"),
        "tokenworth.event": event.id,
        "tokenworth.customer": event.customer,
        "tokenworth.product": event.product,
        "tokenworth.tier": event.tier,
        "tokenworth.status": str(event.status),
        "tokenworth.charge": format_amount(event.charge),
        "tokenworth.unit": event.unit,
        "tokenworth.cost": format_amount(event.cost),
        "tokenworth.currency": event.currency,
    }
    if event.first_token:
        told["gen_ai.response.time_to_first_chunk"] = event.first_token / 1_000_000
    if event.alarm:
        told["error.type"] = event.alarm
    return {name: value for name, value in told.items() if value != 0}


def _sum(event: UsageEvent, direction: str, **more: str) -> int:
    wanted = {"direction": direction, **more}.items()
    return sum(count for name, count in event.counts.items() if name in UNITS and wanted <= dict(unit(name).dimensions).items())
