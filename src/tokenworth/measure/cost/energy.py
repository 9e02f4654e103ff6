"""Joules of a token, and the least that it can cost: the power for it.

joules an output token = watts a GPU / output tokens/s/GPU, the prompts' work in it. Nameplate watts are what a GPU may draw, not what it does; all-in
watts are what is provisioned at the grid for one, with its share of server, network and cooling; measured watts are by the GPU's own meter.
"""

from dataclasses import dataclass
from math import isnan

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.gpus import gpus
from tokenworth.measure.cost.points import Kind
from tokenworth.measure.cost.power import Watts

KILOWATT_HOUR = 3.6e6
"""Joules."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where power is bought.

    Attributes:
        price: dollars a kilowatt-hour.
        pue: power usage effectiveness: what the building draws for each watt of the GPUs; of all-in watts it is a part already.
    """

    price: float
    pue: float

    def __post_init__(self) -> None:
        """Refuse figures that no site has."""
        if not (self.price >= 0 and self.pue >= 1):
            raise InputError(f"{self} is no site", mend="give a price of zero or more and a PUE of at least 1", code="bad_site")


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of output tokens at one speed.

    Attributes:
        gpu: canonical name.
        kind: of the throughput: measured, predicted or a bound.
        speed: output tokens/s/user.
        throughput: output tokens/s/GPU.
        nameplate: watts by the maker; None where it states none.
        measured: watts by the GPU's meter; None where nobody published them.
        all_in: watts provisioned at the grid; None where no survey says.
    """

    gpu: str
    kind: Kind
    speed: float
    throughput: float
    nameplate: float | None
    measured: Watts | None
    all_in: Watts | None

    def joules(self, watts: float | None) -> float | None:
        """Return joules an output token at watts a GPU."""
        return None if watts is None else watts / self.throughput

    def floor(self, site: Site) -> float | None:
        """Return dollars a million output tokens for power alone: of all-in watts where they are known, else of nameplate ones and the site's PUE."""
        watts = self.all_in.watts if self.all_in else self.nameplate and self.nameplate * site.pue
        joules = self.joules(watts)
        return None if joules is None else joules * 1e6 / KILOWATT_HOUR * site.price


def nameplate_watts(gpu: str) -> float | None:
    """Return a GPU's thermal design power; None where its maker states none."""
    known = gpus().get(gpu)
    return None if known is None or isnan(known.watts) else known.watts
