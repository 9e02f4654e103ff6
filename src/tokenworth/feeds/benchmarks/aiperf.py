"""AIPerf's `profile_export_aiperf.json` (schema 1.4, AIPerf 0.13)."""

from collections.abc import Iterator
from typing import Any

from tokenworth.feeds.benchmarks.draft import Draft, Given
from tokenworth.feeds.benchmarks.fields import at, count, number, ratio, seconds, text


def matches(data: Any) -> bool:
    """Tell whether it is such a file."""
    return at(data, "aiperf_version") is not None


def drafts(data: Any, where: str) -> Iterator[Draft]:
    """Yield the one point. The server's own token counts go before those of the tool's tokenizer, where both are told."""
    output = number(data, "usage_completion_tokens", "avg") or number(data, "output_sequence_length", "avg")
    decode = ratio(_decode(data), output - 1 if output and output > 1 else None)
    total = number(data, "total_usage_completion_tokens", "avg") or number(data, "total_output_tokens", "avg")
    yield Draft(
        where=where,
        said=Given(
            model=text(data, "input_config", "models", "items", 0, "name"),
            gpu=_gpu(data),
            input_tokens=count(data, "usage_prompt_tokens", "avg") or count(data, "input_sequence_length", "avg"),
            output_tokens=count({"avg": output}, "avg"),
        ),
        concurrency=_concurrency(data),
        ttft=seconds(number(data, "time_to_first_token", "avg")),
        tpot=seconds(decode),
        output_rate=ratio(total, number(data, "benchmark_duration", "avg")),
        measured=(text(data, "start_time") or "")[:10],
    )


def _decode(data: Any) -> float | None:
    """Return milliseconds from the first token to the last."""
    latency, first = number(data, "request_latency", "avg"), number(data, "time_to_first_token", "avg")
    return latency - first if latency and first and latency > first else None


def _concurrency(data: Any) -> float | None:
    phases = at(data, "input_config", "phases") or []
    return next((asked for phase in phases if at(phase, "kind") == "profiling" and (asked := number(phase, "concurrency"))), None)


def _gpu(data: Any) -> str | None:
    """Return the GPU that DCGM named; not how many, for a host may hold more than serve."""
    for endpoint in (at(data, "telemetry_data", "endpoints") or {}).values():
        for gpu in (at(endpoint, "gpus") or {}).values():
            return text(gpu, "gpu_name")
    return None
