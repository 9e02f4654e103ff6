"""GPU-seconds of a token by class: what one more of them takes of a GPU that is busy."""

from collections.abc import Mapping
from dataclasses import dataclass

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.demand import CLASSES, Tokens
from tokenworth.measure.cost.estimate import Estimate

Shape = tuple[int, int]
"""Tokens of a prompt and of its answer."""


@dataclass(frozen=True, slots=True)
class Work:
    """GPU-seconds a token.

    Attributes:
        input: to prefill a token that is not cached.
        cache_read: to bring in one that is.
        output: to decode one.
    """

    input: float
    cache_read: float
    output: float

    def __post_init__(self) -> None:
        """Refuse work that is none."""
        if min(self.input, self.cache_read, self.output) < 0 or not self.input + self.output > 0:
            raise InputError(f"{self} is no work", mend="give tokens a second and GPU of more than 0", code="bad_work")

    def by_class(self, tokens: Tokens) -> dict[str, float]:
        """GPU-seconds of each class of tokens; each GPU-second is in one of them."""
        return {name: getattr(self, name) * getattr(tokens, name) for name in CLASSES}

    def of(self, tokens: Tokens) -> float:
        """GPU-seconds of all tokens."""
        return sum(self.by_class(tokens).values())

    def scaled(self, throughput: float) -> "Work":
        """Return the work where GPUs make so many times as many tokens."""
        return Work(self.input / throughput, self.cache_read / throughput, self.output / throughput)


def from_rates(prefill: float, decode: float, *, cached: float, hits: float = 0.0) -> Work:
    """Return the work of GPUs that only prefill and GPUs that only decode.

    Args:
        prefill: input tokens a second and GPU while it prefills, cached ones counted too.
        decode: output tokens a second and GPU while it decodes.
        cached: GPU-seconds of a cached token as a share of those of another.
        hits: share of the tokens of `prefill` that were cached when it was measured.
    """
    if not (prefill > 0 and decode > 0 and cached >= 0 and 0 <= hits < 1):
        raise InputError(
            f"{prefill:g} and {decode:g} tokens/s/GPU, of which {hits:g} cached at {cached:g} of the work, are no measurement",
            mend="give rates of more than 0, and shares",
            code="bad_work",
        )
    one = 1 / (prefill * (1 - hits + hits * cached))
    return Work(one, one * cached, 1 / decode)


def from_shapes(throughputs: Mapping[Shape, float], *, cached: float) -> tuple[Work, Estimate]:
    """Return the work that explains one stack at one speed for prompts and answers of several lengths, and how many times as much each made.

    A request of shape (i, o) takes o / throughput GPU-seconds, and is explained by i x input + o x output: least squares of relative errors over
    the shapes, neither figure below zero. So a token's figure is what one more of it takes at equal speed, with all that it slows down.

    Args:
        throughputs: output tokens a second and GPU by shape; of two shapes or more with different ratios of input to output.
        cached: GPU-seconds of a cached token as a share of those of another.
    """
    rows = [(i * rate / o, rate) for (i, o), rate in throughputs.items()]
    aa, ab, bb = (sum(x * y for x, y in pairs) for pairs in ([(a, a) for a, _ in rows], rows, [(b, b) for _, b in rows]))
    a, b = sum(a for a, _ in rows), sum(b for _, b in rows)
    determinant = aa * bb - ab * ab
    if len(rows) < 2 or determinant <= 1e-9 * aa * bb:
        raise InputError(
            "prompts and answers of one ratio of lengths do not tell prefill from decode",
            mend="give tokens/s/GPU of prefill and of decode, or a stack that was measured with several lengths",
            code="one_shape",
        )
    first, second = (a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant
    if second < 0:
        first, second = a / aa, 0.0
    elif first < 0:
        first, second = 0.0, b / bb
    made = [first * x + second * y for x, y in rows]
    return Work(first, first * cached, second), Estimate(1.0, min(1.0, *made), max(1.0, *made))
