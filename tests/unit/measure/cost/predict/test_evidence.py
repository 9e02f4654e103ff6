"""What is left out gives nothing away."""

from math import log

import pytest

from tests.support.estimates import pair
from tokenworth.measure.cost.points import Kind
from tokenworth.measure.cost.predict.calibration import Evidence
from tokenworth.measure.cost.predict.evidence import seen, unseen


def test_a_group_left_out_is_calibrated_by_the_others_alone() -> None:
    errors = unseen(Evidence([pair(0.5, gpu="h100_sxm"), pair(2.0, gpu="b200_sxm")], Kind.PREDICTED), Kind.PREDICTED)
    found = {group.gpu: list(left) for group, left in errors.items()}
    assert found["h100_sxm"] == pytest.approx([log(0.5 / 2.0)], abs=1e-4)
    assert found["b200_sxm"] == pytest.approx([log(2.0 / 0.5)], abs=1e-4)


def test_a_bound_is_held_against_whole_gpus() -> None:
    known = [pair(0.5, gpu="h100_sxm"), pair(0.6, gpu="h100_sxm", engine="trtllm"), pair(2.0, gpu="b200_sxm")]
    errors = unseen(Evidence(known, Kind.BOUND), Kind.BOUND)
    found = {(group.gpu, group.engine): list(left) for group, left in errors.items()}
    assert found["h100_sxm", "vllm"] == pytest.approx([log(0.5 / 2.0)], abs=1e-3), "the other engine on the same GPU says nothing here"
    assert found["b200_sxm", "vllm"] == pytest.approx([log(2.0 / (0.5 * 0.6) ** 0.5)], abs=1e-3)


def test_hidden_groups_count_nowhere() -> None:
    known = [pair(0.5, gpu="h100_sxm"), pair(1.0, gpu="h200_sxm"), pair(2.0, gpu="b200_sxm")]
    errors = unseen(Evidence(known, Kind.PREDICTED), Kind.PREDICTED, [known[2].group])
    assert {group.gpu: list(left) for group, left in errors.items()} == {
        "h100_sxm": pytest.approx([log(0.5)], abs=1e-4),
        "h200_sxm": pytest.approx([log(2.0)], abs=1e-4),
    }


def test_each_point_is_left_out_once() -> None:
    known = [pair(0.5, load, gpu=gpu) for gpu in ("h100_sxm", "b200_sxm") for load in (8, 16, 32, 64, 128)]
    assert sorted(len(left) for left in seen(known).values()) == [5, 5]
