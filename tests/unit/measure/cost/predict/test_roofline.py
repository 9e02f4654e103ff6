"""The roofline, against figures worked out by hand, and against every measurement."""

from dataclasses import replace

import pytest

from tests.support.points import STACK
from tokenworth.measure.cost.points import Kind
from tokenworth.measure.cost.predict.evidence import pairs
from tokenworth.measure.cost.predict.layout import Layout
from tokenworth.measure.cost.predict.roofline import UnknownModelError, roofline

# Llama 3.1 70B: 70.6e9 parameters, 163,840 cached values a token; H100 SXM: 3.35 TB/s, 1,978 dense FP8 TFLOPS


def test_one_request_waits_for_the_weights() -> None:
    found = roofline(STACK, Layout(tensor=2), 1)
    cache = 163_840 * (1024 + 512)
    step = (70.6e9 + cache) / (2 * 3.35e12)
    prefill = 2 * 70.6e9 * 1024 / (2 * 1978e12)
    assert found.tpot == pytest.approx(step + prefill / 1024)
    assert found.ttft == pytest.approx(prefill + step)


def test_many_requests_wait_for_arithmetic() -> None:
    # by 32-token answers to long prompts, prefill is nearly all of the work
    found = roofline(replace(STACK, input_tokens=8192, output_tokens=32), Layout(tensor=8), 64)
    throughput = 64 / (found.tpot * 32) / 8
    assert throughput == pytest.approx(1978e12 / (2 * 70.6e9 * 8192), rel=0.3)


def test_weights_in_16_bits_take_twice_as_long() -> None:
    one, two = (roofline(replace(STACK, precision=precision), Layout(tensor=4), 1) for precision in ("fp8", "bf16"))
    assert two.tpot / one.tpot == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(("gpus", "load", "fits"), [(1, 1, True), (1, 64, False), (2, 64, True)])
def test_what_does_not_fit_into_memory_is_said(gpus: int, load: int, fits: bool) -> None:
    assert roofline(STACK, Layout(tensor=gpus), load).fits is fits


def test_a_model_of_unknown_size_is_refused() -> None:
    with pytest.raises(UnknownModelError, match="nobody/knows"):
        roofline(replace(STACK, model="nobody/knows"), Layout(), 1)


def test_no_measurement_without_speculative_decoding_beats_it() -> None:
    # what does not tell whether it decoded speculatively may have
    told = [pair for pair in pairs(Kind.BOUND) if pair.measured.stack.speculative is False]
    assert len(told) > 50
    assert all(pair.off < 0 for pair in told)
