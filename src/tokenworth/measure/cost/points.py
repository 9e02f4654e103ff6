"""One point of serving: what runs where, how fast each user is served, how much each GPU makes."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a point is known."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    BOUND = "bound"


@dataclass(frozen=True, slots=True, order=True)
class Stack:
    """What is served, on what, with what: points of one stack can be compared.

    Attributes:
        model: the canonical name, as in `models.csv` of the shipped data.
        gpu: the canonical name, as in `gpu_specs_aic.csv`.
        engine: vllm, sglang, trtllm or another's name.
        precision: of the weights: bf16, fp8, fp4, int4; empty where nobody said.
        input_tokens: nominal length of a prompt.
        output_tokens: nominal length of an answer.
        speculative: whether speculative decoding was on; None where nobody said.
    """

    model: str
    gpu: str
    engine: str
    precision: str
    input_tokens: int
    output_tokens: int
    speculative: bool | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A stack at one load.

    Attributes:
        stack: what runs where.
        gpus: of the whole deployment, prefill and decode.
        parallelism: as the source states it, such as `tp8 ep8`; `disagg` where prefill and decode have GPUs of their own.
        concurrency: requests under way, over the whole deployment.
        ttft: seconds to the first token.
        tpot: seconds between output tokens.
        interactivity: output tokens a second and user, after the first token.
        throughput: output tokens a second and GPU, over all GPUs.
        kind: measured, predicted or a bound.
        source: where the point is from, with its id there.
        measured: ISO date of the measurement; empty where nobody said.
        version: of the engine; empty where nobody said.
    """

    stack: Stack
    gpus: int
    parallelism: str
    concurrency: float
    ttft: float
    tpot: float
    interactivity: float
    throughput: float
    kind: Kind
    source: str
    measured: str = ""
    version: str = ""

    @property
    def end_to_end(self) -> float:
        """Output tokens over the whole latency, a second and user: prices the time to the first token in."""
        tokens = self.stack.output_tokens
        return tokens / (self.ttft + (tokens - 1) / self.interactivity)

    @property
    def input_throughput(self) -> float:
        """Input tokens a second and GPU."""
        return self.throughput * self.stack.input_tokens / self.stack.output_tokens
