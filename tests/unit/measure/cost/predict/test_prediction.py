"""Frontiers of what nobody measured."""

import sys

import pytest

from tokenworth.core.errors import InputError, TokenworthError
from tokenworth.measure.cost.points import Kind, Stack
from tokenworth.measure.cost.predict.prediction import most, predict

SEEN = Stack("llama-3.1-70b", "h200_sxm", "trtllm", "fp8", 1024, 1024)
UNSEEN = Stack("llama-3.1-70b", "b300_sxm", "trtllm", "fp8", 1024, 1024)
NO_KERNELS = Stack("llama-3.1-70b", "mi355x", "vllm", "fp8", 1024, 1024)


@pytest.mark.parametrize(
    ("stack", "kind", "said"),
    [
        (SEEN, Kind.PREDICTED, "measured points of this model"),
        (UNSEEN, Kind.PREDICTED, "nothing measured of this model"),
        (NO_KERNELS, Kind.BOUND, "no kernels known"),
    ],
)
def test_every_point_says_how_it_is_known(stack: Stack, kind: Kind, said: str) -> None:
    found = predict(stack)
    assert found.kind is kind
    assert {point.kind for point in found.points} == {kind}
    assert said in found.basis
    assert {point.stack for point in found.points} == {stack}


def test_what_was_measured_has_a_narrower_band_than_what_was_not() -> None:
    widths = [band.high / band.low for band in (predict(stack).band for stack in (SEEN, UNSEEN, NO_KERNELS))]
    assert widths == sorted(widths)


def test_a_band_holds_its_frontier_and_widens_with_its_level() -> None:
    narrow, wide = predict(UNSEEN, level=0.5), predict(UNSEEN, level=0.9)
    for speed in (30.0, 60.0, 100.0):
        inner, outer = narrow.at(speed), wide.at(speed)
        assert inner.likely is not None
        assert inner.likely == outer.likely
        assert outer.low <= inner.low <= inner.likely <= inner.high <= outer.high


def test_nothing_is_extrapolated() -> None:
    found = predict(UNSEEN)
    slowest, fastest = found.frontier().range
    assert found.at(slowest / 2).likely is None
    assert found.at(fastest * 2).likely is None
    assert most(found.frontier(), fastest * 2) == 0
    assert most(found.frontier(), slowest / 2) == pytest.approx(found.points[0].throughput)


def test_a_bound_may_be_asked_for_where_kernels_are_known() -> None:
    assert predict(SEEN, kind=Kind.BOUND).kind is Kind.BOUND
    with pytest.raises(InputError, match="no kernels"):
        predict(NO_KERNELS, kind=Kind.PREDICTED)


def test_a_model_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(InputError, match="fits on no deployment") as refused:
        predict(Stack("deepseek-r1", "v6e", "vllm", "bf16", 1024, 1024))
    assert refused.value.code == "too_large"


def test_what_does_not_ship_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("aiconfigurator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiconfigurator", None)
    with pytest.raises(TokenworthError, match="not installed") as refused:
        predict(Stack("llama-3.1-70b", "h200_sxm", "trtllm", "fp8", 777, 777))
    assert refused.value.code == "missing_extra"
    assert "tokenworth[predict]" in str(refused.value.mend)
