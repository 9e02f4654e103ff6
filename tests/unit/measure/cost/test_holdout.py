"""How far frontiers can be trusted: the figures that they are held to, on the shipped table."""

import pytest

from tests.support.points import point
from tokenworth.measure.cost.frontier import Speed
from tokenworth.measure.cost.holdout import loads_left_out, rankings_left_out, speeds_left_out
from tokenworth.measure.cost.series import Load, OutsideLoadError
from tokenworth.measure.cost.table import measured


def test_a_load_that_was_left_out_is_found_within_four_per_cent() -> None:
    errors = loads_left_out(measured())
    assert errors.points > 1000
    assert errors.median <= 0.04


def test_a_speed_that_was_left_out_is_found_within_seven_per_cent() -> None:
    for speed in Speed:
        assert speeds_left_out(measured(), speed).median <= 0.07


@pytest.mark.parametrize("speed", Speed)
def test_the_faster_of_two_gpus_is_told_nine_times_in_ten(speed: Speed) -> None:
    ranking = rankings_left_out(measured(), speed)
    assert ranking.pairs > 500
    assert ranking.share >= 0.9


def test_a_power_law_is_found_exactly() -> None:
    errors = loads_left_out([point(100 / load**0.5, 10 * load**0.5, concurrency=load) for load in (1, 2, 4, 8, 16)])
    assert errors.points == 3
    assert errors.median == pytest.approx(0, abs=1e-9)


def test_what_is_left_out_is_not_looked_at() -> None:
    bent = [point(50 - load, 10.0 * load if load != 4 else 20.0, concurrency=load) for load in (1, 2, 4, 8, 16)]
    assert loads_left_out(bent).ninth_decile > 0.5


def test_loads_are_not_extrapolated() -> None:
    load = Load((point(50, 100, concurrency=4), point(40, 300, concurrency=16)))
    assert 100 < load.throughput_at(8) < 300
    with pytest.raises(OutsideLoadError):
        load.throughput_at(17)
