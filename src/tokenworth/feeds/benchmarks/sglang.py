"""`python -m sglang.bench_serving --output-file`: one JSON object a line and run (SGLang 0.5)."""

from collections.abc import Iterator
from typing import Any

from tokenworth.feeds.benchmarks.draft import Draft, Given
from tokenworth.feeds.benchmarks.fields import at, count, engine, number, ratio, seconds, text


def matches(data: Any) -> bool:
    """Tell whether it is such a line."""
    return at(data, "total_output_tokens_retokenized") is not None


def drafts(data: Any, where: str) -> Iterator[Draft]:
    """Yield the one point; the native backend notes the server's own settings, the others do not."""
    answers = number(data, "completed")
    server = at(data, "server_info")
    yield Draft(
        where=where,
        said=Given(
            model=text(server, "model_path") or text(data, "model"),
            gpus=_gpus(server),
            engine=engine(text(data, "backend")),
            precision=_precision(text(server, "quantization")),
            input_tokens=count({"mean": ratio(number(data, "total_input_tokens"), answers)}, "mean"),
            output_tokens=count({"mean": ratio(number(data, "total_output_tokens"), answers)}, "mean"),
            speculative=_speculative(data, server),
        ),
        concurrency=number(data, "max_concurrency"),
        ttft=seconds(number(data, "mean_ttft_ms")),
        tpot=seconds(number(data, "mean_tpot_ms")),
        output_rate=number(data, "output_throughput"),
        version=text(server, "version") or "",
    )


def _gpus(server: Any) -> int | None:
    tensor, pipeline = count(server, "tp_size"), count(server, "pp_size") or 1
    # with attention split by data, the replicas share the GPUs of one tensor group
    replicas = 1 if at(server, "enable_dp_attention") else count(server, "dp_size") or 1
    return tensor * pipeline * replicas if tensor else None


def _precision(quantization: str | None) -> str | None:
    return next((name for name in ("fp8", "fp4", "int4") if name in (quantization or "")), None)


def _speculative(data: Any, server: Any) -> bool | None:
    if number(data, "accept_length") or text(server, "speculative_algorithm"):
        return True
    return False if server else None
