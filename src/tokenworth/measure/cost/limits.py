"""What no machine can beat: the roofline of a step (Williams, Waterman and Patterson 2009), in the form that refutes a measurement.

Everything uncertain is taken in the measurement's favour: weights at their stated precision or half a byte, cache at one byte a value,
perfect overlap, perfect spread over all GPUs, the fastest arithmetic that the GPU has.
"""

from tokenworth.measure.cost.gpus import Gpu
from tokenworth.measure.cost.models import Model
from tokenworth.measure.cost.points import Point

WEIGHT_BYTES = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5, "int4": 0.5}
LEAST_BYTES = 0.5
"""Of a weight whose precision nobody states."""

READABLE = 0.9
"""The best share of its nominal bandwidth that a GPU's memory is known to reach."""

TOKENS_A_STEP = 3.2
"""The longest mean acceptance that SPEED-Bench measured for a published draft (InferenceX, `spec_decode_acceptance`): 3.16."""


def weights(point: Point, model: Model) -> float:
    """Bytes of the model's weights."""
    return model.parameters * WEIGHT_BYTES.get(point.stack.precision, LEAST_BYTES)


def fastest_step(point: Point, model: Model, gpu: Gpu) -> float:
    """Seconds below which no decoding step over the requests under way can be."""
    decoding = point.tpot * point.stack.output_tokens
    running = point.concurrency * decoding / (decoding + point.ttft)
    touched = model.parameters_touched(running) * WEIGHT_BYTES.get(point.stack.precision, LEAST_BYTES)
    context = point.stack.input_tokens + point.stack.output_tokens / 2
    cache = running * context * model.kv_values_per_token
    return (touched + cache) / (point.gpus * gpu.bandwidth * READABLE)


def most_throughput(point: Point, model: Model, gpu: Gpu) -> float:
    """Output tokens/s/GPU above which the operations of prefill and decode do not fit."""
    tokens = (point.stack.input_tokens + point.stack.output_tokens) / point.stack.output_tokens
    return max(gpu.flops.values()) / (2 * model.active_parameters * tokens)
