"""Energy of tokens, against what ML.ENERGY published and against arithmetic by hand."""

import pytest

from tests.support.points import point
from tokenworth.core.errors import InputError
from tokenworth.measure.cost.energy import Energy, Site, nameplate_watts
from tokenworth.measure.cost.points import Kind
from tokenworth.measure.cost.power import Watts, draws, measured_watts


def energy(*, throughput: float = 1000, nameplate: float | None = 700, all_in: float | None = None) -> Energy:
    return Energy("h100_sxm", Kind.MEASURED, 50, throughput, nameplate, None, None if all_in is None else Watts(all_in, "test"))


def test_joules_are_watts_over_tokens_as_published() -> None:
    assert len(draws()) == 247
    for draw in draws():
        made = Energy(draw.gpu, Kind.MEASURED, 1, draw.tokens, None, None, None)
        assert made.joules(draw.watts) == pytest.approx(draw.joules, rel=0.002)


def test_no_gpu_draws_more_than_its_nameplate() -> None:
    for draw in draws():
        assert draw.watts <= (nameplate_watts(draw.gpu) or 0)


def test_the_floor_is_power_alone() -> None:
    # 700 W x 1.5 over 1000 tokens/s: 1.05 J a token, 1.05 MJ a million, 0.2917 kWh
    assert energy().floor(Site(price=0.10, pue=1.5)) == pytest.approx(0.02917, rel=1e-3)
    # all-in watts hold the building already: 1,730 J/s over 1000 tokens/s is 0.4806 kWh a million
    assert energy(all_in=1730).floor(Site(price=0.10, pue=1.5)) == pytest.approx(0.04806, rel=1e-3)


def test_where_no_watts_are_known_nothing_is_made_up() -> None:
    assert nameplate_watts("vr200") is None
    assert nameplate_watts("nobody's") is None
    assert energy(nameplate=None).floor(Site(0.1, 1.2)) is None


def test_metered_watts_are_of_the_same_model_at_the_nearest_load() -> None:
    found = measured_watts(point(50, 1000, gpu="b200_sxm", model="llama-3.1-70b", gpus=2, concurrency=16))
    assert found is not None
    # published: Llama 3.3 70B on two B200 with 16 requests, 1745.5 W
    assert 2 * found.watts == pytest.approx(1745.5)
    assert found.basis == "same model at 8 requests a GPU"


def test_metered_watts_with_other_models_say_so_and_elsewhere_there_are_none() -> None:
    other = measured_watts(point(50, 1000, gpu="b200_sxm", model="glm-5"))
    assert other is not None
    assert "other models" in other.basis
    assert measured_watts(point(50, 1000, gpu="gb300")) is None


@pytest.mark.parametrize(("price", "pue"), [(-0.1, 1.2), (0.1, 0.9), (float("nan"), 1.2)])
def test_a_site_that_cannot_be_is_refused(price: float, pue: float) -> None:
    with pytest.raises(InputError):
        Site(price, pue)
