"""OpenTelemetry spans of calls to models, as an OTLP exporter sends them (OTLP 1.7), in the GenAI semantic conventions 0.66b2.

A span that calls a model is a use; spans of agents, workflows and tools repeat what their calls used, or use nothing, and are passed over, as are
all others. The conventions know no customer: spans or their resource say it with `tokenworth.customer`, and may say product, tier and project.
"""

from collections.abc import Iterator, Mapping

from tokenworth.core.errors import UsageError
from tokenworth.feeds.usage.cells import Cells
from tokenworth.feeds.usage.otlp_wire import Span
from tokenworth.flows.elsewhere.reported import Read, Reported
from tokenworth.measure.usage import opentelemetry
from tokenworth.price.card import DEFAULT_TIER

FEED = SOURCE = "otlp"
CALLS = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
"""Operations that use tokens."""
OURS = "tokenworth."
NANOS_PER_MICRO = 1_000


def read(spans: Iterator[Span]) -> Iterator[Read]:
    """Yield what each span tells."""
    for number, span in enumerate(spans, start=1):
        operation = span.attributes.get("gen_ai.operation.name")
        if operation in CALLS or (operation is None and any(name.startswith(opentelemetry.PREFIX) for name in span.attributes)):
            yield read_one(number, span)
        else:
            yield Read(number, SOURCE, span.id)


def read_one(number: int, span: Span) -> Read:
    """Read a span that calls a model."""
    cells = Cells(span.attributes)
    if not span.id:
        cells.wrong("missing_field", "the span has no ids", "send trace and span ids of 16 and 8 bytes", "spanId")
    if not 0 < span.start <= span.end:
        cells.wrong("bad_instant", "the span does not say when it began and ended", "send spans that are over", "endTimeUnixNano")
    counts = _counts(cells)
    at, ended = span.start // NANOS_PER_MICRO, span.end // NANOS_PER_MICRO
    served = [cells.text(name) for name in ("gen_ai.response.model", "gen_ai.request.model")]
    found = Reported(
        source=SOURCE,
        id=span.id,
        customer=cells.text(f"{OURS}customer", need=True),
        feed=FEED,
        at=at,
        ended=ended,
        counts=counts,
        product=cells.text(f"{OURS}product"),
        asked=tuple(name for name in served[1:] if name),
        served=tuple(name for name in dict.fromkeys(served) if name),
        tier=_tier(cells),
        api_key=cells.text(f"{OURS}api_key"),
        project=cells.text(f"{OURS}project"),
        first_token=_first_token(cells),
        estimated=cells.flag(f"{OURS}estimated"),
    )
    problems = tuple(cells.problems)
    return Read(number, SOURCE, span.id, None if problems else found, problems)


def _counts(cells: Cells) -> Mapping[str, int]:
    try:
        return opentelemetry.usage(cells.values).counts
    except UsageError as error:
        cells.wrong(error.code, error.what, error.mend, opentelemetry.PREFIX.rstrip("."))
        return {}


def _tier(cells: Cells) -> str:
    """Return the customer's tier, else the one that the provider says it served."""
    for name in (f"{OURS}tier", "openai.response.service_tier", "gen_ai.openai.response.service_tier"):
        if (told := cells.text(name)) and told not in ("auto", "standard"):
            return told
    return DEFAULT_TIER


def _first_token(cells: Cells) -> int:
    """Return microseconds to the first chunk, which the conventions give in seconds."""
    told = cells.values.get("gen_ai.response.time_to_first_chunk")
    return int(told * 1_000_000) if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < 1e6 else 0
