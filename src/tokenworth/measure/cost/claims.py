"""What vendors and publishers say that serving does or will cost. Sources and kinds stand with each in `data/inference/public_claims.csv`."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PROMISED = ("publisher_claim", "projection", "spec_ratio")
"""Kinds that nobody measured."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One published figure.

    Attributes:
        id: of the row.
        claim: what is said.
        value: as it was published.
        unit: of the value.
        config: under which conditions.
        source: who said it, where.
        kind: measured, measured_production, measured+assumption, computed_by_publisher, publisher_claim, projection or spec_ratio.
    """

    id: str
    claim: str
    value: str
    unit: str
    config: str
    source: str
    kind: str


@cache
def claims() -> Sequence[Claim]:
    """Return the shipped claims."""
    text = (files("tokenworth") / "data" / "inference" / "public_claims.csv").read_text(encoding="utf-8")
    return tuple(Claim(**row) for row in csv.DictReader(text.splitlines()))


def promised() -> list[Claim]:
    """Return the claims that nobody measured."""
    return [claim for claim in claims() if claim.kind in PROMISED]
