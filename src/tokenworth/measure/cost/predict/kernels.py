"""Times predicted from kernels measured one by one: the only file that knows `aiconfigurator`.

It adds up the measured kernels of one step (matrix products, attention, communication) and schedules prefill between decode steps. 0.12.0 is the last
release under this name; what replaces it differs, and this file with it.
"""

import logging
from functools import cache, lru_cache
from typing import Any

from tokenworth.core.errors import InputError
from tokenworth.core.extras import need
from tokenworth.measure.cost.points import Stack
from tokenworth.measure.cost.predict.layout import Layout
from tokenworth.measure.cost.predict.times import Times

VERSION = "0.12.0"
GPUS = ("a100_sxm", "h100_sxm", "h200_sxm", "b200_sxm", "b300_sxm", "gb200", "gb300")
"""GPUs of whose kernels enough was measured for all three engines. Of others it has some, and makes up the rest, at times by orders of magnitude."""

ENGINES = ("trtllm", "vllm", "sglang")

_BLACKWELL = ("b200_sxm", "b300_sxm", "gb200", "gb300")

_CHECKPOINTS = {
    ("llama-3.1-8b", ""): "meta-llama/Meta-Llama-3.1-8B",
    ("llama-3.1-70b", ""): "meta-llama/Meta-Llama-3.1-70B",
    ("llama-3.1-70b", "fp8"): "nvidia/Llama-3.1-70B-Instruct-FP8",
    ("qwen3-32b", ""): "Qwen/Qwen3-32B",
    ("qwen3-32b", "fp8"): "Qwen/Qwen3-32B-FP8",
    ("qwen3-235b-a22b", ""): "Qwen/Qwen3-235B-A22B",
    ("qwen3-235b-a22b", "fp8"): "Qwen/Qwen3-235B-A22B-FP8",
    ("qwen3-235b-a22b", "fp4"): "nvidia/Qwen3-235B-A22B-NVFP4",
    ("qwen3.5-397b-a17b", ""): "Qwen/Qwen3.5-397B-A17B",
    ("qwen3.5-397b-a17b", "fp4"): "nvidia/Qwen3.5-397B-A17B-NVFP4",
    ("deepseek-r1", "fp8"): "deepseek-ai/DeepSeek-V3",
    ("deepseek-r1", "fp4"): "nvidia/DeepSeek-V3.1-NVFP4",
    ("kimi-k2.5", "int4"): "moonshotai/Kimi-K2.5",
    ("kimi-k2.5", "fp4"): "nvidia/Kimi-K2.5-NVFP4",
    ("minimax-m2.5", "fp8"): "MiniMaxAI/MiniMax-M2.5",
    ("minimax-m2.5", "fp4"): "nvidia/MiniMax-M2.5-NVFP4",
    ("glm-5", ""): "zai-org/GLM-5",
    ("glm-5", "fp8"): "zai-org/GLM-5-FP8",
    ("glm-5", "fp4"): "nvidia/GLM-5-NVFP4",
    ("gpt-oss-120b", ""): "openai/gpt-oss-120b",
    ("gpt-oss-120b", "fp4"): "openai/gpt-oss-120b",
    ("gpt-oss-120b", "fp8"): "openai/gpt-oss-120b",
}
"""Checkpoints whose configuration the package holds, by model and precision of the weights; others are made from the one without."""

_CACHE = "kvcache_quant_mode"

_MODES = {
    "fp8": {"gemm_quant_mode": "fp8", "moe_quant_mode": "fp8", _CACHE: "fp8"},
    "fp4": {"gemm_quant_mode": "nvfp4", "moe_quant_mode": "nvfp4", _CACHE: "fp8"},
    "int4": {"gemm_quant_mode": "int4_wo", "moe_quant_mode": "int4_wo"},
}
"""How weights and cache are quantised where no such checkpoint is there to say it: as NVIDIA's ModelOpt does."""

_BLOCKWISE = {"gemm_quant_mode": "fp8_block", "moe_quant_mode": "fp8_block"}
"""How Qwen publishes its own."""


class NotPredictedError(InputError):
    """A stack or layout of which no kernels are known, or that does not fit into memory."""

    code = "not_predicted"


def times(stack: Stack, layout: Layout, concurrency: float) -> Times:
    """Return the predicted times of a stack on a layout with so many requests under way.

    Speculative decoding is not predicted: how many drafted tokens are accepted is no matter of kernels.

    Raises:
        NotPredictedError: no kernels are known, or the model does not fit into memory.
        TokenworthError: the extra `predict` is not installed.
    """
    path, modes = _checkpoint(stack)
    load = need("aiconfigurator.sdk.config", "predict").RuntimeConfig(
        isl=stack.input_tokens, osl=stack.output_tokens, batch_size=max(1, round(concurrency / layout.data))
    )
    _database(stack.gpu, stack.engine)
    # not every engine's attention was measured with a cache of 8 bits; those keep it in 16
    for tried in (modes, {**modes, _CACHE: "bfloat16"})[: 1 + (_CACHE in modes)]:
        try:
            found = _session(path, stack.gpu, stack.engine, layout=layout, modes=tuple(tried.items())).run_agg(load, ctx_tokens=stack.input_tokens)
        except Exception as error:  # noqa: BLE001 - it raises bare assertions, its own errors, ValueError, RuntimeError
            why = str(error)
        else:
            if not found.check_oom():
                result = found.get_result_dict()
                return Times(ttft=float(result["ttft"]) / 1000, tpot=float(result["tpot"]) / 1000, fits=not found.check_kv_cache_oom())
            why = "it does not fit into memory"
    raise NotPredictedError(f"{stack.model} on {layout.gpus} {stack.gpu} ({layout}): {why}", mend="ask for another layout or precision")


@lru_cache(maxsize=16)
def _session(path: str, gpu: str, engine: str, *, layout: Layout, modes: tuple[tuple[str, str], ...]) -> Any:
    """Return a model on a layout, ready to be asked for its times: as `cli_estimate` makes it, which reads its files anew each time."""
    builders, known = need("aiconfigurator.sdk.config_builders", "predict"), need("aiconfigurator.sdk.models", "predict")
    split = layout.gpus // layout.experts if known.check_is_moe(path) else None
    config = builders.build_model_config(layout.tensor, 1, layout.data, split, layout.experts, **dict(modes))
    builders.apply_nextn(config, 0)
    database = _database(gpu, engine)
    known.resolve_context_fmha_by_data(config, path, database, engine, is_context_role=True)
    known.resolve_dsv4_moe_arch(config, path, system_name=gpu, backend_name=engine)
    known.resolve_nvfp4_for_system(config, gpu, path, backend_name=engine)
    backend = need("aiconfigurator.sdk.backends.factory", "predict").get_backend(engine)
    return need("aiconfigurator.sdk.inference_session", "predict").InferenceSession(known.get_model(path, config, engine), database, backend)


def _checkpoint(stack: Stack) -> tuple[str, dict[str, str]]:
    precision = "" if stack.precision in {"bf16", "fp16"} else stack.precision
    modes: dict[str, str] = {}
    path = _CHECKPOINTS.get((stack.model, precision))
    if path is None:
        path = _CHECKPOINTS.get((stack.model, ""), stack.model)
        modes = _BLOCKWISE if path.startswith("Qwen/") and precision == "fp8" else _MODES.get(precision, {})
    if "gpt-oss" in stack.model and stack.gpu in _BLACKWELL:
        # MXFP4 weights multiply MXFP8 activations where the GPU can, and 16-bit ones elsewhere
        modes = {"moe_quant_mode": "w4a8_mxfp4_mxfp8"}
    return path, modes


@cache
def _database(gpu: str, engine: str) -> Any:
    kernels = need("aiconfigurator.sdk.perf_database", "predict")
    for name in ("aiconfigurator", "aiconfigurator_core"):
        logging.getLogger(name).setLevel(logging.ERROR)
    version = kernels.get_latest_database_version(system=gpu, backend=engine)
    if version is None:
        raise NotPredictedError(f"no kernels of {engine} on {gpu} were measured", mend=f"GPUs with kernels: {', '.join(GPUS)}")
    # where a kernel was not measured in this shape, it is scaled from those that were
    return kernels.get_database_view(gpu, engine, version, allow_missing_data=True, database_mode="HYBRID")
