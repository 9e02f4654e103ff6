"""Models by name, with what bounds their serving: parameters, experts, size of the cache. Sources stand in `data/inference/models.csv`."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Model:
    """What a published model is made of.

    Attributes:
        name: canonical, such as `deepseek-r1`; models of one architecture share it (DeepSeek's V3, V3.1 and R1).
        parameters: all of them.
        active_parameters: those that one token uses.
        experts: of a layer that a router chooses from; 1 where the model is dense.
        experts_per_token: those that it chooses.
        kv_values_per_token: values of the cache that each step reads for each token of the context.
    """

    name: str
    parameters: float
    active_parameters: float
    experts: int
    experts_per_token: int
    kv_values_per_token: float

    def parameters_touched(self, tokens: float) -> float:
        """Return how many parameters a step over so many tokens is expected to read, each token's experts being drawn evenly."""
        if self.experts == 1:
            return self.parameters
        share = self.experts_per_token / self.experts
        routed = (self.parameters - self.active_parameters) / (1 - share)
        return self.parameters - routed * float((1 - share) ** tokens)


@cache
def models() -> Mapping[str, Model]:
    """Return the shipped models by canonical name."""
    return {row["name"]: _model(row) for row in _rows()}


def _model(row: Mapping[str, str]) -> Model:
    return Model(
        name=row["name"],
        parameters=float(row["parameters"]),
        active_parameters=float(row["active_parameters"]),
        experts=int(row["experts"]),
        experts_per_token=int(row["experts_per_token"]),
        kv_values_per_token=float(row["kv_values_per_token"]),
    )


def model_name(text: str) -> str:
    """Return the canonical name of a model that a person or a tool names so; a name that nobody knows stays as it is."""
    return _names().get(text.lower(), text)


@cache
def _names() -> Mapping[str, str]:
    return {name.lower(): row["name"] for row in _rows() for name in (row["name"], *row["known_as"].split())}


def _rows() -> list[dict[str, str]]:
    text = (files("tokenworth") / "data" / "inference" / "models.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
