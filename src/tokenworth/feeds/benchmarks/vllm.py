"""`vllm bench serve --save-result`: one JSON object a run (vllm/benchmarks/serve.py of vLLM 0.33)."""

from collections.abc import Iterator
from typing import Any

from tokenworth.feeds.benchmarks.draft import Draft, Given
from tokenworth.feeds.benchmarks.fields import at, count, engine, number, ratio, seconds, text


def matches(data: Any) -> bool:
    """Tell whether it is such a file."""
    return at(data, "model_id") is not None and at(data, "total_token_throughput") is not None


def drafts(data: Any, where: str) -> Iterator[Draft]:
    """Yield the one point. The tool knows nothing of the server: GPUs and precision are not in it, unless given to it as `--metadata`."""
    answers = number(data, "completed")
    rate = number(data, "output_throughput")
    yield Draft(
        where=where,
        said=Given(
            model=text(data, "model_id"),
            gpu=text(data, "gpu"),
            gpus=count(data, "gpus"),
            engine=engine(text(data, "backend")),
            precision=text(data, "precision"),
            input_tokens=count({"mean": ratio(number(data, "total_input_tokens"), answers)}, "mean"),
            output_tokens=count({"mean": ratio(number(data, "total_output_tokens"), answers)}, "mean"),
            speculative=True if number(data, "spec_decode_acceptance_length") else None,
        ),
        concurrency=number(data, "max_concurrency"),
        ttft=seconds(number(data, "mean_ttft_ms")),
        tpot=seconds(number(data, "mean_tpot_ms")),
        output_rate=rate,
        measured=_day(text(data, "date") or ""),
    )


def _day(said: str) -> str:
    """Return `20261125-030622` as an ISO date."""
    return f"{said[:4]}-{said[4:6]}-{said[6:8]}" if said[:8].isdigit() else ""
