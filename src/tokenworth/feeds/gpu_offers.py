"""Offers of the day from the catalogues of `gpuhunt` (MPL-2.0; the extra `rental`): the one place that knows it."""

import logging

from tokenworth.core.errors import InputError, SupplierError
from tokenworth.core.extras import need
from tokenworth.measure.cost.estimate import quantile
from tokenworth.measure.cost.gpus import gpus
from tokenworth.measure.cost.hourly import HIGH, Quote, Terms

EXTRA = "rental"
MEMORY = 0.9
"""A smaller share of a GPU's published memory is another GPU of the same name."""
GIB = 2**30


def live_quotes(gpu: str, day: str) -> list[Quote]:
    """Return a price a provider and terms, the median of its offers of a GPU, from catalogues that are fetched now.

    Args:
        gpu: canonical name. The catalogues do not tell SXM from PCIe: what they call H100 is taken for the SXM form, and no other may be asked for.
        day: ISO date to note.

    InputError `unknown_gpu` for a form that they cannot tell; SupplierError `unreachable` where no catalogue can be read; TokenworthError
    `missing_extra` without the extra.
    """
    name = _name(gpu)
    hunt = need("gpuhunt", EXTRA)
    # it logs a traceback for each catalogue that it cannot read; the prices name the providers that it could
    logging.getLogger("gpuhunt").setLevel(logging.CRITICAL)
    catalogue = hunt.Catalog(balance_resources=False, auto_reload=False)
    try:
        catalogue.load()
    except (hunt.GPUHuntError, OSError) as error:
        raise SupplierError(
            f"no catalogue of GPU prices can be read: {error}", mend="try again, or give a file of prices", code="unreachable"
        ) from error
    least = gpus()[gpu].memory / GIB * MEMORY if gpu in gpus() else None
    offers = catalogue.query(provider=sorted(catalogue.catalog), gpu_name=name, min_gpu_count=1, min_gpu_memory=least)
    asked: dict[tuple[str, Terms], list[float]] = {}
    for offer in offers:
        asked.setdefault((offer.provider, Terms.SPOT if offer.spot else Terms.ON_DEMAND), []).append(offer.price / offer.gpu_count)
    versions = {provider: found.version for provider, found in catalogue.catalog.items()}
    return [
        Quote(gpu, provider, terms, quantile(prices, 0.5), day, f"gpuhunt, catalogue {versions[provider]}", min(prices), quantile(prices, HIGH))
        for (provider, terms), prices in sorted(asked.items())
    ]


def _name(gpu: str) -> str:
    family, _, form = gpu.partition("_")
    if form not in ("", "sxm", "nvl"):
        raise InputError(f"catalogues do not tell {gpu} from other forms of {family}", mend="give a file of prices", code="unknown_gpu")
    return family.upper() + ("NVL" if form == "nvl" else "")
