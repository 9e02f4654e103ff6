"""Energy of tokens, for people and as data."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from tokenworth.measure.cost.energy import Energy, Site
from tokenworth.measure.cost.power import Watts
from tokenworth.render.tables import Column, print_table


def print_energies(title: str, found: Sequence[Energy], site: Site, console: Console) -> None:
    """Print a row a GPU and speed: watts and joules by what they are known from, and the floor price; then where each figure is from."""
    numbers = ["tokens/s/user", "tokens/s/GPU", "W metered", "W nameplate", "W all-in", "J metered", "J nameplate", "J all-in", "floor USD/M"]
    columns = [Column("GPU"), Column("throughput"), *(Column(name, number=True) for name in numbers)]
    print_table(f"{title}: joules an output token, prompts included", columns, [_row(each, site) for each in found], console=console)
    told = f"floor: power alone at USD {site.price:g} a kWh, from all-in watts; from nameplate watts x PUE {site.pue:g} where there are none"
    console.print(told, highlight=False, soft_wrap=True)
    for text in dict.fromkeys(_sources(found)):
        console.print(text, highlight=False, soft_wrap=True)


def energy_data(found: Sequence[Energy], site: Site) -> list[dict[str, Any]]:
    """Return energies as JSON; joules are an output token."""
    return [
        asdict(each)
        | {
            "joules_metered": each.joules(_watts(each.measured)),
            "joules_nameplate": each.joules(each.nameplate),
            "joules_all_in": each.joules(_watts(each.all_in)),
            "floor_usd_million": each.floor(site),
        }
        for each in found
    ]


def _row(each: Energy, site: Site) -> list[str]:
    watts = (_watts(each.measured), each.nameplate, _watts(each.all_in))
    joules = [each.joules(draw) for draw in watts]
    floor = each.floor(site)
    return [
        each.gpu,
        each.kind,
        f"{each.speed:g}",
        f"{each.throughput:,.0f}",
        *("-" if draw is None else f"{draw:,.0f}" for draw in watts),
        *("-" if joule is None else f"{joule:.3g}" for joule in joules),
        "-" if floor is None else f"{floor:.4f}",
    ]


def _sources(found: Sequence[Energy]) -> list[str]:
    told = [f"metered {each.gpu}: {each.measured.basis}" for each in found if each.measured]
    return told + [f"all-in {each.gpu}: {each.all_in.basis}" for each in found if each.all_in]


def _watts(watts: Watts | None) -> float | None:
    return watts.watts if watts else None
