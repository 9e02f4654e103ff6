"""What measurements say of an estimate is found again."""

from math import log

import numpy as np
import pytest

from tests.support.estimates import expected, pair
from tokenworth.measure.cost.points import Kind
from tokenworth.measure.cost.predict.calibration import FEATURES, Calibration, Evidence, calibrate, group_of

LOADS = (8, 16, 32, 64, 128, 256)


def test_a_factor_that_all_groups_share_is_that_of_a_new_one() -> None:
    known = [pair(0.8, load, gpu=gpu) for gpu in ("h100_sxm", "h200_sxm", "b200_sxm") for load in LOADS]
    fitted = calibrate(known)
    assert fitted.factor(expected(gpu="b300_sxm")) == pytest.approx(0.8, rel=1e-4)
    assert not fitted.knows(expected(gpu="b300_sxm").stack)


def test_a_group_that_was_measured_has_its_own_factor() -> None:
    known = [pair(0.5, load, gpu="h100_sxm") for load in LOADS * 5] + [pair(1.0, load, gpu="h200_sxm") for load in LOADS * 5]
    fitted = calibrate(known)
    assert fitted.factor(expected(gpu="h100_sxm")) == pytest.approx(0.5, rel=0.03)
    assert fitted.factor(expected(gpu="h200_sxm")) == pytest.approx(1.0, rel=0.03)
    assert fitted.without_own().factor(expected(gpu="h100_sxm")) == pytest.approx(0.5**0.5, rel=1e-4)


def test_groups_weigh_the_same_whatever_their_points() -> None:
    known = [pair(0.5, load, gpu="h100_sxm") for load in LOADS * 9] + [pair(2.0, gpu="h200_sxm")]
    assert calibrate(known).factor(expected(gpu="b200_sxm")) == pytest.approx(1.0, rel=1e-4)


def test_an_error_that_grows_with_load_is_followed_where_it_was_measured() -> None:
    known = [pair((load / 64) ** 0.2, load) for load in LOADS * 20]
    fitted = calibrate(known)
    for load in LOADS:
        assert fitted.factor(expected(load)) == pytest.approx((load / 64) ** 0.2, rel=0.05)


def test_beyond_measured_loads_an_error_stays_as_it_is_at_the_edge() -> None:
    fitted = calibrate([pair((load / 64) ** 0.2, load) for load in LOADS * 20])
    assert fitted.factor(expected(100 * LOADS[-1])) == pytest.approx(fitted.factor(expected(LOADS[-1])))
    assert fitted.factor(expected(LOADS[0] / 100)) == pytest.approx(fitted.factor(expected(LOADS[0])))


def test_speculative_decoding_has_a_factor_of_its_own() -> None:
    known = [
        pair(2.0 if drafts else 1.0, load, gpu=gpu, speculative=drafts)
        for gpu in ("h100_sxm", "b200_sxm")
        for load in LOADS
        for drafts in (True, False)
    ]
    fitted = calibrate(known).without_own()
    assert fitted.factor(expected(speculative=True)) == pytest.approx(2.0, rel=0.01)
    assert fitted.factor(expected(speculative=None)) == pytest.approx(1.0, rel=0.01)


def test_leaving_a_group_out_is_fitting_without_its_points() -> None:
    rng = np.random.default_rng(3)
    known = [pair(float(np.exp(rng.normal())), load, gpu=gpu) for gpu in ("h100_sxm", "h200_sxm", "b200_sxm") for load in LOADS]
    group = group_of(known[0].measured.stack)
    rest = [each for each in known if each.group != group]
    for kind in (Kind.PREDICTED, Kind.BOUND):
        direct = Calibration(Evidence(rest, kind).common(), {})
        left = Evidence(known, kind).left(group, {group})
        assert left == pytest.approx([direct.left(each) for each in known if each.group == group], abs=1e-6)


def test_a_pair_knows_how_far_off_it_is() -> None:
    assert pair(1.25).off == pytest.approx(log(1.25))
    assert pair(1.0).features.shape == (len(FEATURES),)
