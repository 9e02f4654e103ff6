"""The shipped table of measured points. Source, date and licence stand in `data/inference/README.md`."""

import csv
import gzip
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.points import Kind, Point, Stack

FILE = "measured_points_to_2026-03.csv.gz"


@cache
def measured() -> Sequence[Point]:
    """Return the shipped measured points that pass the screens, read once a process."""
    packed = files("tokenworth") / "data" / "inference" / FILE
    with packed.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8", newline="") as lines:
        return tuple(_point(row) for row in csv.DictReader(lines) if float(row["gpus"]))


def _point(row: Mapping[str, str]) -> Point:
    return Point(
        stack=Stack(
            model=model_name(row["model_path"]),
            gpu=row["system"],
            engine=row["backend"],
            precision=row["precision"],
            input_tokens=int(row["isl"]),
            output_tokens=int(row["osl"]),
        ),
        gpus=int(float(row["gpus"])),
        parallelism="disagg" if row["mode"] == "disagg" else f"tp{row['tp_size']} dp{row['attention_dp_size']} ep{row['moe_ep_size']}",
        concurrency=float(row["conc"]),
        ttft=float(row["silicon_ttft_ms"]) / 1000,
        tpot=float(row["silicon_tpot_ms"]) / 1000,
        interactivity=float(row["tok_s_user"]),
        throughput=float(row["out_tok_s_gpu"]),
        kind=Kind.MEASURED,
        source=f"{FILE} {row['id']}",
        measured=row["measured"],
        version=row["backend_version"],
    )
