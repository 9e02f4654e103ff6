"""inference-perf's `stage_N_lifecycle_metrics.json` (kubernetes-sigs/inference-perf, 2025-11 to 2026-08)."""

from collections.abc import Iterator
from typing import Any

from tokenworth.feeds.benchmarks.draft import Draft, Given
from tokenworth.feeds.benchmarks.fields import at, count, number, ratio


def matches(data: Any) -> bool:
    """Tell whether it is such a file."""
    return at(data, "load_summary") is not None and at(data, "successes") is not None


def drafts(data: Any, where: str) -> Iterator[Draft]:
    """Yield the stage's point: times are in seconds. The server's own token counts go before those of the tool's tokenizer, where both are told."""
    done = at(data, "successes")
    counted = number(done, "output_tokens", "mean")
    retokenized = number(done, "output_len", "mean")
    output = counted or retokenized
    latency, ttft = number(done, "latency", "request_latency", "mean"), number(done, "latency", "time_to_first_token", "mean")
    decode = latency - ttft if latency and ttft and latency > ttft else None
    requests = number(done, "throughput", "requests_per_sec")
    yield Draft(
        where=where,
        said=Given(
            input_tokens=count(done, "prompt_tokens", "mean") or count(done, "prompt_len", "mean"),
            output_tokens=count({"mean": output}, "mean"),
        ),
        concurrency=number(data, "load_summary", "concurrency") or (requests * latency if requests and latency else None),
        ttft=ttft,
        tpot=ratio(decode, output - 1 if output and output > 1 else None),
        output_rate=requests * output if requests and output else None,
    )
