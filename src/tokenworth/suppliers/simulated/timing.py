"""When a simulated model's tokens come.

The traces have no latencies, so these are published measurements: Llama-3.1-70B at FP8 with vLLM on four H100 SXM, 8 concurrent requests,
1,024 output tokens, SemiAnalysis InferenceX of 2025-10-29 as shipped in aiconfigurator-core 0.12.0 (`systems/silicon_sample.csv`):
time to first token 96.3 ms at 1,024 input tokens and 582.9 ms at 8,192, time per output token 12.1 ms at the former. The line through the
two points is the model of the first token; cached tokens take no part in it.
"""

from dataclasses import dataclass

from tokenworth.suppliers.simulated.answer import Answer

FIRST_TOKEN_US = 27_000
PREFILL_TOKEN_US = 68
OUTPUT_TOKEN_US = 12_110
TICK_US = 10_000
"""Tokens that are due within one tick come in one chunk, as servers under load do."""
CHUNK_AT_ONCE = 32
"""Tokens a chunk where nothing is timed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Microseconds to the first token, tokens a chunk, and microseconds between chunks."""

    first_us: int
    chunk: int
    gap_us: int

    def last_us(self, tokens: int) -> int:
        """Microseconds to the last of `tokens`."""
        return self.first_us + -(-tokens // self.chunk) * self.gap_us


def pace(drawn: Answer, speed: int) -> Pace:
    """Return the pace at `speed` times the measured one; speed 0 answers at once."""
    if not speed:
        return Pace(0, CHUNK_AT_ONCE, 0)
    first = FIRST_TOKEN_US + PREFILL_TOKEN_US * (drawn.input - drawn.cached)
    chunk = max(1, TICK_US * speed // OUTPUT_TOKEN_US)
    return Pace(first // speed, chunk, OUTPUT_TOKEN_US * chunk // speed)
