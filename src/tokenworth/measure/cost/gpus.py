"""GPUs by name, with what their makers publish of them. Source, date and licence stand in `data/inference/README.md`."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tokenworth.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Gpu:
    """Published figures of a GPU, or of what does the work of one.

    Attributes:
        name: canonical, such as `h100_sxm`.
        memory: bytes.
        bandwidth: of its memory, bytes/s.
        flops: dense operations/s by precision (bf16, fp8, fp4); a precision that it lacks is absent.
        watts: thermal design power of the GPU alone; not a number where its maker states none.
        per_node: GPUs of a server.
        per_domain: GPUs that one fast fabric joins: a server's, or a rack's.
        claimed: whether all that is known are its maker's claims: nobody measured its kernels.
    """

    name: str
    memory: float
    bandwidth: float
    flops: Mapping[str, float]
    watts: float
    per_node: int
    per_domain: int
    claimed: bool = False


@cache
def gpus() -> Mapping[str, Gpu]:
    """Return the shipped GPUs by name."""
    folder = files("tokenworth") / "data" / "inference"
    known = {}
    for file, claimed in (("gpu_specs_aic.csv", False), ("gpu_specs_claimed.csv", True)):
        for row in csv.DictReader((folder / file).read_text(encoding="utf-8").splitlines()):
            known[row["system"]] = _gpu(row, claimed=claimed)
    return known


def _gpu(row: Mapping[str, str], *, claimed: bool) -> Gpu:
    flops = {precision: float(row[f"{precision}_tflops"]) * 1e12 for precision in ("bf16", "fp8", "fp4")}
    return Gpu(
        name=row["system"],
        memory=float(row["hbm_gib"]) * 2**30,
        bandwidth=float(row["hbm_tb_s"]) * 1e12,
        flops={precision: rate for precision, rate in flops.items() if rate},
        watts=float(row["tdp_w"] or "nan"),
        per_node=int(row["gpus_per_node"]),
        per_domain=int(row["gpus_per_rack"] or row["gpus_per_node"]),
        claimed=claimed,
    )


def gpu_named(text: str) -> Gpu:
    """Return the GPU that a person or a tool calls so (`H100`, `h100-sxm`, `NVIDIA H100 80GB HBM3`); InputError names the known ones.

    A bare name means the form with the fastest links: SXM before PCIe.
    """
    words = re.sub(r"[^a-z0-9]+", " ", text.lower()).split()
    for name in sorted(gpus(), key=lambda name: ("pcie" in name, name)):
        family, *form = name.split("_")
        if family in words and ("pcie" in words) == ("pcie" in form):
            return gpus()[name]
    raise InputError(f"no GPU is called {text!r}", mend=f"use one of {', '.join(gpus())}", code="unknown_gpu")


def gpu_name(text: str) -> str:
    """Return the canonical name of a GPU that a tool names so; of one that nobody knows, the first word that it is called."""
    try:
        return gpu_named(text).name
    except InputError:
        return text.lower().partition("-")[0]
