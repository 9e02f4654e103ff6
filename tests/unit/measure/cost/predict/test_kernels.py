"""The real predictor, on one configuration."""

import pytest

from tokenworth.measure.cost.points import Stack
from tokenworth.measure.cost.predict.kernels import NotPredictedError, times
from tokenworth.measure.cost.predict.layout import Layout
from tokenworth.measure.cost.predict.shipped import estimates

STACK = Stack("llama-3.1-70b", "h100_sxm", "trtllm", "fp8", 1000, 1000)


def test_it_predicts_what_ships() -> None:
    shipped = [each for each in estimates(STACK) if each.layout == Layout(tensor=2)]
    assert len(shipped) > 10
    for each in shipped:
        found = times(STACK, each.layout, each.concurrency)
        assert (found.ttft, found.tpot) == pytest.approx((each.times.ttft, each.times.tpot), rel=1e-4)


def test_it_predicts_what_its_own_interface_does() -> None:
    from aiconfigurator.cli.api import cli_estimate  # noqa: PLC0415 - some seconds, for this test alone

    stated = cli_estimate(
        "nvidia/Llama-3.1-70B-Instruct-FP8", "h100_sxm", database_mode="HYBRID", isl=1000, osl=1000, tp_size=4, batch_size=64, backend_name="trtllm"
    )
    found = times(STACK, Layout(tensor=4), 64)
    assert (1000 * found.ttft, 1000 * found.tpot) == pytest.approx((stated.ttft, stated.tpot), rel=1e-9)


def test_what_does_not_fit_into_memory_is_refused() -> None:
    with pytest.raises(NotPredictedError, match="does not fit"):
        times(STACK, Layout(tensor=1), 1024)


def test_a_model_that_nobody_knows_is_refused() -> None:
    with pytest.raises(NotPredictedError):
        times(Stack("no-such-model", "h100_sxm", "trtllm", "fp8", 1000, 1000), Layout(tensor=1), 1)
