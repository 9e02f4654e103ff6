"""How the GPUs of one deployment share a model."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """A deployment in one piece: prefill and decode on the same GPUs.

    Attributes:
        tensor: GPUs over which attention is split.
        data: copies of attention, each with requests of its own; every GPU is one of tensor x data.
        experts: parts that the experts are dealt out to; what remains of the GPUs splits each expert.
    """

    tensor: int = 1
    data: int = 1
    experts: int = 1

    @property
    def gpus(self) -> int:
        """All GPUs of the deployment."""
        return self.tensor * self.data

    def __str__(self) -> str:
        """As points state it: `tp8`, `tp8 ep8`, `dp8 ep8`."""
        attention = f"dp{self.data}" if self.data > 1 else f"tp{self.tensor}"
        return f"{attention} ep{self.experts}" if self.experts > 1 else attention


def layout(parallelism: str) -> Layout | None:
    """Return the layout that a point's parallelism states; None where it states none, as for disaggregated serving."""
    said = re.fullmatch(r"(tp|dp)(\d+)(?: ep(\d+))?", parallelism)
    if said is None:
        return None
    width, experts = int(said[2]), int(said[3] or 1)
    return Layout(tensor=width, experts=experts) if said[1] == "tp" else Layout(data=width, experts=experts)


def layouts(gpus: int, *, experts: int) -> list[Layout]:
    """Return the layouts of a model of so many experts a layer (1 where it is dense) on so many GPUs."""
    plain = [Layout(tensor=gpus)]
    if experts == 1 or gpus == 1:
        return plain
    return [*plain, Layout(tensor=gpus, experts=gpus), Layout(data=gpus, experts=gpus)]
