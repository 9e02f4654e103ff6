"""The table of measured points that ships, and its form for more. Source, date and licence stand in `data/inference/README.md`.

A row tells time to first token and between tokens at a concurrency. Where it does not tell throughput, that follows: requests come in a closed
loop, so it is concurrency over the time of a request (Little's law), and the answers of InferenceX, of whom most rows are, have lengths drawn evenly
between 0.8 and 1 of the nominal one: 0.9 on average.
"""

import csv
import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from importlib.resources import files
from math import inf
from typing import TextIO

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.gpus import Gpu, gpu_name, gpus
from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.points import Kind, Point, Stack
from tokenworth.measure.cost.screening import Screened, Screening
from tokenworth.measure.cost.screens import screen
from tokenworth.measure.cost.series import UNSTATED

FILE = "measured_points_to_2026-03.csv.gz"
ANSWERED = 0.9
SPECULATIVE = {"": None, "yes": True, "no": False}
UNKNOWN = Gpu(name="", memory=0, bandwidth=0, flops={}, watts=0, per_node=8, per_domain=8)
"""A GPU of which nothing is known: eight to a server, as is usual."""

COLUMNS = (
    "id",
    "model_path",
    "system",
    "backend",
    "backend_version",
    "precision",
    "speculative",
    "isl",
    "osl",
    "conc",
    "gpus",
    "parallelism",
    "kind",
    "measured",
    "silicon_ttft_ms",
    "silicon_tpot_ms",
    "tok_s_user",
    "out_tok_s_gpu",
)
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
    count, ep = _counted_once(row)
    if count == point.gpus:
        return point
    found.mend(source, "gpus_counted_twice", f"{point.gpus} GPUs are {count}: the table multiplied by the expert parallelism that is among them")
    return replace(point, gpus=count, parallelism=_parallelism(row, count, ep), throughput=point.throughput * point.gpus / count)


def _point(row: Mapping[str, str], source: str) -> Point:
    numbers = {column: float(row[column] or 0) for column in ("isl", "osl", "conc", "gpus", "silicon_ttft_ms", "silicon_tpot_ms")}
    absent = [column for column, number in numbers.items() if not 0 < number < inf]
    if absent:
        raise ValueError(f"{', '.join(absent)} is not given")
    if row.get("measured"):
        date.fromisoformat(row["measured"])
    ttft, tpot, tokens = numbers["silicon_ttft_ms"] / 1000, numbers["silicon_tpot_ms"] / 1000, ANSWERED * numbers["osl"]
    return Point(
        stack=Stack(
            model=model_name(row["model_path"]),
            gpu=gpu_name(row["system"]),
            engine=row["backend"],
            precision=row.get("precision", ""),
            input_tokens=int(numbers["isl"]),
            output_tokens=int(numbers["osl"]),
            speculative=SPECULATIVE.get(row.get("speculative", "")),
        ),
        gpus=int(numbers["gpus"]),
        parallelism=_parallelism(row, int(numbers["gpus"]), _number(row, "moe_ep_size")),
        concurrency=numbers["conc"],
        ttft=ttft,
        tpot=tpot,
        interactivity=1 / tpot,
        throughput=_decimal(row, "out_tok_s_gpu") or numbers["conc"] * tokens / (ttft + tpot * tokens) / numbers["gpus"],
        kind=Kind(row.get("kind") or Kind.MEASURED),
        source=source,
        measured=row.get("measured", ""),
        version=row.get("backend_version", ""),
    )


def _parallelism(row: Mapping[str, str], gpus: int, ep: int) -> str:
    if row.get("parallelism"):
        return row["parallelism"]
    if row.get("mode") == "disagg" or gpus > _gpu(row).per_node:
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
    count, ep = _number(row, "gpus"), _number(row, "moe_ep_size")
    if row.get("mode") == "disagg" or row.get("parallelism"):
        return count, ep
    said = re.search(r"_tp(\d+)(?:_0)?_ep(\d+)", row.get("id", ""))
    if said:
        return int(said[1]), int(said[2])
    across = max(_number(row, "tp_size"), _number(row, "attention_dp_size"))
    server = _gpu(row).per_domain
    if count <= server or ep <= 1:
        return count, ep
    count = across // ep if across > server else across
    return count, min(ep, count)


def _gpu(row: Mapping[str, str]) -> Gpu:
    return gpus().get(gpu_name(row["system"]), UNKNOWN)


def _number(row: Mapping[str, str], column: str) -> int:
    return int(_decimal(row, column))


def _decimal(row: Mapping[str, str], column: str) -> float:
    return float(row.get(column) or 0)


def write_table(points: Iterable[Point], out: TextIO) -> None:
    """Write points in the form that `read_table` reads."""
    rows = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(_columns(point) for point in points)


def _columns(point: Point) -> dict[str, object]:
    stack = point.stack
    return {
        "id": point.source,
        "model_path": stack.model,
        "system": stack.gpu,
        "backend": stack.engine,
        "backend_version": point.version,
        "precision": stack.precision,
        "speculative": next(word for word, known in SPECULATIVE.items() if known is stack.speculative),
        "isl": stack.input_tokens,
        "osl": stack.output_tokens,
        "conc": f"{point.concurrency:.6g}",
        "gpus": point.gpus,
        "parallelism": point.parallelism,
        "kind": point.kind.value,
        "measured": point.measured,
        "silicon_ttft_ms": f"{1000 * point.ttft:.6g}",
        "silicon_tpot_ms": f"{1000 * point.tpot:.6g}",
        "tok_s_user": f"{point.interactivity:.6g}",
        "out_tok_s_gpu": f"{point.throughput:.6g}",
    }
