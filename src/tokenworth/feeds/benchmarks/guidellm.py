"""GuideLLM's `benchmarks.json` (report version 2, GuideLLM 0.8; version 1 has the same metrics)."""

from collections.abc import Iterator
from typing import Any

from tokenworth.feeds.benchmarks.draft import Draft, Given
from tokenworth.feeds.benchmarks.fields import at, count, number, seconds, text


def matches(data: Any) -> bool:
    """Tell whether it is such a file."""
    return at(data, "benchmarks", 0, "metrics", "inter_token_latency_ms") is not None


def drafts(data: Any, where: str) -> Iterator[Draft]:
    """Yield a point for each benchmark. Its `time_per_output_token_ms` holds the first token, so the time between tokens is used."""
    for at_, benchmark in enumerate(data["benchmarks"]):
        metrics = at(benchmark, "metrics")
        yield Draft(
            where=f"{where} benchmark {at_ + 1}",
            said=Given(
                model=text(benchmark, "config", "backend", "model")
                or text(data, "config", "spec", "backend", "model")
                or text(data, "args", "model"),
                input_tokens=count(metrics, "prompt_token_count", "successful", "mean"),
                output_tokens=count(metrics, "output_token_count", "successful", "mean"),
            ),
            concurrency=number(benchmark, "config", "strategy", "streams") or number(metrics, "request_concurrency", "successful", "mean"),
            ttft=seconds(number(metrics, "time_to_first_token_ms", "successful", "mean")),
            tpot=seconds(number(metrics, "inter_token_latency_ms", "successful", "mean")),
            output_rate=number(metrics, "output_tokens_per_second", "successful", "mean"),
        )
