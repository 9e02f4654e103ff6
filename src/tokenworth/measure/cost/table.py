"""The table of measured points that ships, and its form for more. Source, date and licence stand in `data/inference/README.md`.

A row tells time to first token and between tokens at a concurrency; speed and throughput follow from them. Requests come in a closed loop, so
throughput is concurrency over the time of a request (Little's law), and the answers of InferenceX, of whom most rows are, have lengths drawn
evenly between 0.8 and 1 of the nominal one: 0.9 on average.
"""

import csv
import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.gpus import gpu_named
from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.points import Kind, Point, Stack
from tokenworth.measure.cost.screening import Screened, Screening
from tokenworth.measure.cost.screens import screen
from tokenworth.measure.cost.series import UNSTATED

FILE = "measured_points_to_2026-03.csv.gz"
ANSWERED = 0.9
NEEDED = ("model_path", "system", "backend", "isl", "osl", "conc", "gpus", "silicon_ttft_ms", "silicon_tpot_ms")


def measured() -> Sequence[Point]:
    """Return the shipped measured points that pass the screens."""
    return shipped().points


@cache
def shipped() -> Screened:
    """Return the shipped table: points that pass the screens, and what was dropped or mended, read once a process."""
    packed = files("tokenworth") / "data" / "inference" / FILE
    with packed.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8", newline="") as lines:
        return read_table(lines, FILE)


def read_table(lines: Iterable[str], name: str) -> Screened:
    """Read and screen a table of the shipped one's columns; InputError names a column that is missing."""
    rows = csv.DictReader(lines)
    missing = [column for column in NEEDED if column not in (rows.fieldnames or ())]
    if missing:
        raise InputError(f"{name} has no column {', '.join(missing)}", mend=f"a table of points needs {', '.join(NEEDED)}", code="bad_points")
    found = Screening()
    points = [point for row in rows if (point := _row(row, name, found))]
    return screen(points, found)


def _row(row: Mapping[str, str], name: str, found: Screening) -> Point | None:
    source = f"{name} {row.get('id', '')}".strip()
    try:
        point = _point(row, source)
    except ValueError as error:
        found.drop(source, "incomplete", str(error))
        return None
    gpus, ep = _counted_once(row)
    if gpus == point.gpus:
        return point
    found.mend(source, "gpus_counted_twice", f"{point.gpus} GPUs are {gpus}: the table multiplied by the expert parallelism that is among them")
    return replace(point, gpus=gpus, parallelism=_parallelism(row, gpus, ep), throughput=point.throughput * point.gpus / gpus)


def _point(row: Mapping[str, str], source: str) -> Point:
    numbers = {column: float(row[column] or 0) for column in ("isl", "osl", "conc", "gpus", "silicon_ttft_ms", "silicon_tpot_ms")}
    absent = [column for column, number in numbers.items() if number <= 0]
    if absent:
        raise ValueError(f"{', '.join(absent)} is not given")
    ttft, tpot, tokens = numbers["silicon_ttft_ms"] / 1000, numbers["silicon_tpot_ms"] / 1000, ANSWERED * numbers["osl"]
    return Point(
        stack=Stack(
            model=model_name(row["model_path"]),
            gpu=gpu_named(row["system"]).name,
            engine=row["backend"],
            precision=row.get("precision", ""),
            input_tokens=int(numbers["isl"]),
            output_tokens=int(numbers["osl"]),
        ),
        gpus=int(numbers["gpus"]),
        parallelism=_parallelism(row, int(numbers["gpus"]), _number(row, "moe_ep_size")),
        concurrency=numbers["conc"],
        ttft=ttft,
        tpot=tpot,
        interactivity=1 / tpot,
        throughput=numbers["conc"] * tokens / (ttft + tpot * tokens) / numbers["gpus"],
        kind=Kind.MEASURED,
        source=source,
        measured=row.get("measured", ""),
        version=row.get("backend_version", ""),
    )


def _parallelism(row: Mapping[str, str], gpus: int, ep: int) -> str:
    if row.get("mode") == "disagg" or gpus > gpu_named(row["system"]).per_node:
        numbered = re.search(r"_(cfg\d+)$", row.get("id", ""))
        return f"disagg {numbered[1]}" if numbered else UNSTATED
    attention = f"dp{gpus}" if _number(row, "attention_dp_size") > 1 else f"tp{gpus}"
    return f"{attention} ep{ep}" if ep > 1 else attention


def _counted_once(row: Mapping[str, str]) -> tuple[int, int]:
    """Return GPUs and expert parallelism as they were stated where the measurement was made.

    InferenceX states tensor (or attention data) parallelism over all GPUs, and how many of the same GPUs share experts. Its converter took
    the second as a factor: `tp8 ep8`, eight GPUs, became 64. The id still says what was stated; where it does not, no engine in one piece
    spans more than a server outside of an NVLink rack.
    """
    gpus, ep = int(float(row["gpus"])), _number(row, "moe_ep_size")
    if row.get("mode") == "disagg":
        return gpus, ep
    said = re.search(r"_tp(\d+)(?:_0)?_ep(\d+)", row.get("id", ""))
    if said:
        return int(said[1]), int(said[2])
    across = max(_number(row, "tp_size"), _number(row, "attention_dp_size"))
    server = gpu_named(row["system"]).per_domain
    if gpus <= server or ep <= 1:
        return gpus, ep
    gpus = across // ep if across > server else across
    return gpus, min(ep, gpus)


def _number(row: Mapping[str, str], column: str) -> int:
    return int(float(row.get(column) or 0))
