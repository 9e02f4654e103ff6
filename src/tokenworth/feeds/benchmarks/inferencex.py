"""InferenceX's aggregated rows (`agg_*.json` and lists of them, utils/process_result.py of SemiAnalysisAI/InferenceX at 2026-08-22)."""

from collections.abc import Iterator
from typing import Any

from tokenworth.feeds.benchmarks.draft import Draft, Given
from tokenworth.feeds.benchmarks.fields import at, count, engine, number, text


def matches(data: Any) -> bool:
    """Tell whether it is such a row."""
    return at(data, "hw") is not None and at(data, "output_tput_per_gpu") is not None


def drafts(data: Any, where: str) -> Iterator[Draft]:
    """Yield the row's point.

    In rows of several nodes output is divided by the GPUs that decode alone, or by all where none does; here it is over all of them.
    """
    prefill, decode = count(data, "num_prefill_gpu") or 0, count(data, "num_decode_gpu") or 0
    several = prefill + decode > 0
    gpus = prefill + decode if several else (count(data, "tp") or 0) * (count(data, "pp") or 1) * (count(data, "pcp_size") or 1)
    per_gpu = number(data, "output_tput_per_gpu")
    yield Draft(
        where=where,
        said=Given(
            model=text(data, "model"),
            gpu=text(data, "hw"),
            gpus=gpus or None,
            engine=engine(text(data, "framework")) or text(data, "framework"),
            precision=text(data, "precision"),
            input_tokens=count(data, "isl"),
            output_tokens=count(data, "osl"),
            speculative=_speculative(text(data, "spec_decoding") or text(data, "mtp")),
            parallelism=_parallelism(data, prefill, decode) if several else _attention(data),
        ),
        concurrency=number(data, "conc"),
        ttft=number(data, "mean_ttft"),
        tpot=number(data, "mean_tpot"),
        output_rate=per_gpu * ((decode or gpus) if several else gpus) if per_gpu else None,
        version=_tag(text(data, "image") or ""),
    )


def _tag(image: str) -> str:
    return image.rpartition(":")[2] if ":" in image else ""


def _speculative(said: str | None) -> bool | None:
    return None if said is None else said.lower() not in ("none", "off", "false")


def _attention(data: Any) -> str:
    spread, ep = ("dp" if str(at(data, "dp_attention")).lower() == "true" else "tp"), count(data, "ep") or 1
    return f"{spread}{count(data, 'tp')}" + (f" ep{ep}" if ep > 1 else "")


def _parallelism(data: Any, prefill: int, decode: int) -> str:
    sides = {"prefill": prefill, "decode": decode}
    told = [f"{gpus} {side} as {count(data, f'{side}_num_workers')}x tp{count(data, f'{side}_tp')}" for side, gpus in sides.items() if gpus]
    return "disagg " + ", ".join(told)
