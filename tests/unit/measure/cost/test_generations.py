"""Cost at equal speed, against published figures; where a claim holds."""

import pytest

from tests.support.points import point
from tokenworth.core.errors import InputError
from tokenworth.measure.cost.claims import claims, promised
from tokenworth.measure.cost.compare import answer
from tokenworth.measure.cost.estimate import known
from tokenworth.measure.cost.frontier import frontier
from tokenworth.measure.cost.generations import Generation, generations, in_order
from tokenworth.measure.cost.points import Kind
from tokenworth.measure.cost.select import Wanted, chosen, frontiers
from tokenworth.measure.cost.table import measured


def test_a_dollar_of_a_gpu_hour_is_shared_by_its_tokens() -> None:
    one = Generation("h100_sxm", frontier([point(50, 1000)]), known(3.6))
    assert one.cost_at(50).value == pytest.approx(1.0)


def test_gpt_oss_on_b200_costs_two_cents_a_million_tokens_at_low_speed() -> None:
    """NVIDIA of InferenceMAX v1 (public_claims.csv): 0.02 USD a million tokens, in and out; at 1.73 USD a GPU-hour (hyperscaler, 2026-07)."""
    wanted = Wanted(models=("gpt-oss-120b",), gpus=("b200",), lengths=(1024, 1024))
    slowest = max(point.throughput + point.input_throughput for each in frontiers(chosen(measured(), wanted), best=True) for point in each.points)
    assert 1.73 * 1e6 / 3600 / slowest == pytest.approx(0.02, abs=0.005)


def test_trtllm_documentation_of_llama_70b_on_h200_is_within_a_tenth() -> None:
    """TensorRT-LLM 1.0, perf-overview: Llama 3.3 70B FP8, one H200, 1000/1000 tokens, maximum load: 2,909 output tokens/s."""
    wanted = Wanted(models=("llama-3.3-70b",), gpus=("h200",), engines=("trtllm",), precisions=("fp8",), lengths=(1024, 1024))
    single = [p.throughput for p in chosen(measured(), wanted) if p.gpus == 1]
    assert max(single) == pytest.approx(2909, rel=0.1)


def test_generations_come_in_the_order_of_their_announcement() -> None:
    assert in_order(["gb300", "unheard of", "b200_sxm", "a100_sxm", "h200_sxm", "h100_sxm"]) == [
        "a100_sxm",
        "h100_sxm",
        "h200_sxm",
        "b200_sxm",
        "gb300",
        "unheard of",
    ]


def test_a_gpu_without_a_price_is_left_out() -> None:
    points = [point(50, 100), point(50, 300, gpu="b200_sxm")]
    assert [each.gpu for each in generations(points, {"b200_sxm": known(1.0)})] == ["b200_sxm"]


def test_what_was_measured_goes_before_what_is_predicted() -> None:
    measured_, predicted = point(50, 100), point(60, 900, kind=Kind.PREDICTED)
    bound = point(50, 700, gpu="vr200", kind=Kind.BOUND)
    found = generations([bound, predicted, measured_], {"h100_sxm": known(1.0), "vr200": known(5.0)})
    assert [each.frontier.points for each in found] == [(measured_,), (bound,)]


OLD = Generation("h100_sxm", frontier([point(10, 1000), point(40, 250)]), known(2.0))
NEW = Generation("b200_sxm", frontier([point(20, 4000), point(80, 1000)]), known(4.0))


def test_a_claim_is_answered_over_the_speeds_that_both_reach() -> None:
    # both are power laws: 8 times the throughput at each speed, for twice the price
    told = answer(OLD, NEW, times=5, part=0.1)
    assert {round(ratio.throughput, 9) for ratio in told.ratios} == {8}
    assert {round(ratio.cost, 9) for ratio in told.ratios} == {0.25}
    assert (told.throughput, told.cost, told.only_new) == (((20, 40),), (), (40, 80))


def test_a_claim_may_hold_at_some_speeds() -> None:
    steep = Generation("b200_sxm", frontier([point(10, 8000), point(40, 500)]), known(2.0))
    # 8 times at 10 tokens/s/user, twice at 40: 4 times where speed has doubled
    ((first, last),) = answer(OLD, steep, times=4, part=0.1).throughput
    assert first == pytest.approx(10)
    assert last == pytest.approx(20, rel=0.01)


def test_speeds_that_do_not_meet_are_an_error() -> None:
    with pytest.raises(InputError, match="no speed is common"):
        answer(OLD, Generation("b200_sxm", frontier([point(50, 1)]), known(1.0)), times=5, part=0.1)


def test_claims_are_told_apart_from_measurements() -> None:
    kinds = {claim.kind for claim in claims()}
    assert {"measured", "projection"} <= kinds
    assert {claim.kind for claim in promised()} == {"publisher_claim", "projection", "spec_ratio"}
