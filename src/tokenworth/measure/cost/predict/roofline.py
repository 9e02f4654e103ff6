"""What a machine's memory and arithmetic allow at best (Williams, Waterman and Patterson 2009), where no kernel was measured.

A decoding step reads the weights that its tokens touch and the cache of all requests, and multiplies each token with the active weights: the longer
of the two counts. Prefill multiplies; between decoding steps it makes everybody wait. Nothing is said of links, launches or the engine: that is what
the efficiency fitted on measurements stands for.
"""

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.gpus import Gpu, gpus
from tokenworth.measure.cost.limits import WEIGHT_BYTES
from tokenworth.measure.cost.models import Model, models
from tokenworth.measure.cost.points import Stack
from tokenworth.measure.cost.predict.layout import Layout
from tokenworth.measure.cost.predict.shipped import plain
from tokenworth.measure.cost.predict.times import Times

USABLE = 0.9
"""Share of memory that engines take for weights and cache unless told otherwise."""

CACHE_BYTES = {"bf16": 2.0, "fp16": 2.0}
"""Bytes of a cached value by precision of the weights; engines keep it in 8 bits where weights have 8 or fewer."""


class UnknownModelError(InputError):
    """A model of which neither parameters nor cache are known."""

    code = "unknown_model"


def roofline(stack: Stack, layout: Layout, concurrency: float) -> Times:
    """Return the times that a stack on a layout cannot beat; UnknownModelError where its size is not known."""
    model, gpu = models().get(stack.model), gpus()[stack.gpu]
    if model is None:
        raise UnknownModelError(f"the size of {stack.model!r} is not known", mend=f"models with known sizes: {', '.join(models())}")
    precision = plain(stack).precision
    flops = layout.gpus * _flops(gpu, precision)
    bandwidth = layout.gpus * gpu.bandwidth
    cache = concurrency * _cache_a_token(model, precision) * (stack.input_tokens + stack.output_tokens / 2)
    reading = (model.parameters_touched(concurrency) * WEIGHT_BYTES[precision] + cache) / bandwidth
    step = max(reading, 2 * model.active_parameters * concurrency / flops)
    prefill = 2 * model.active_parameters * stack.input_tokens / flops
    held = model.parameters * WEIGHT_BYTES[precision] + cache
    return Times(ttft=prefill + step, tpot=step + concurrency * prefill / stack.output_tokens, fits=held <= USABLE * layout.gpus * gpu.memory)


def _flops(gpu: Gpu, precision: str) -> float:
    """Operations/s in the precision of the weights, or in 16 bits where the GPU has no arithmetic for it."""
    return gpu.flops.get(precision, gpu.flops["bf16"])


def _cache_a_token(model: Model, precision: str) -> float:
    return model.kv_values_per_token * CACHE_BYTES.get(precision, 1.0)
