"""Points from files of any known benchmark tool, told apart by what they hold."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from tokenworth.core.errors import InputError
from tokenworth.feeds.benchmarks import aiperf, guidellm, inference_perf, inferencex, sglang, vllm
from tokenworth.feeds.benchmarks.draft import Given, finish
from tokenworth.measure.cost.screening import Screened, Screening
from tokenworth.measure.cost.screens import screen
from tokenworth.measure.cost.table import read_table

TOOLS = (aiperf, guidellm, inference_perf, inferencex, sglang, vllm)
NOTHING = Given()


def read_benchmarks(files: Sequence[Path], given: Given = NOTHING) -> Screened:
    """Read and screen the points of files; InputError says which file is not known, or what it does not tell and how to say it."""
    tables = [_table(file) for file in files if file.suffix == ".csv"]
    found = Screening([v for table in tables for v in table.dropped], [v for table in tables for v in table.mended])
    points = [point for table in tables for point in table.points]
    points += [finish(draft, given) for file in files if file.suffix != ".csv" for data, where in _objects(file) for draft in _drafts(data, where)]
    return screen(points, found)


def _table(file: Path) -> Screened:
    with file.open(encoding="utf-8", newline="") as lines:
        return read_table(lines, file.name)


def _objects(file: Path) -> Iterator[tuple[Any, str]]:
    """Yield the objects of a JSON file, of its list, or of its lines, each with its place."""
    raw = file.read_bytes()
    try:
        # SGLang writes Infinity, which is no JSON, where the rate of requests has no limit
        whole = orjson.loads(raw.replace(b": Infinity", b": null"))
    except orjson.JSONDecodeError:
        for at, line in enumerate(raw.splitlines(), 1):
            if line.strip():
                yield _line(line, f"{file}:{at}"), f"{file.name} line {at}"
        return
    if isinstance(whole, list):
        yield from ((each, f"{file.name} item {at}") for at, each in enumerate(whole, 1))
    else:
        yield whole, file.name


def _line(line: bytes, place: str) -> Any:
    try:
        return orjson.loads(line.replace(b": Infinity", b": null"))
    except orjson.JSONDecodeError as error:
        raise InputError(
            f"{place} is not JSON: {error}", mend="give a benchmark's JSON or JSON lines, or a CSV table of points", code="bad_json"
        ) from None


def _drafts(data: Any, where: str) -> Iterator[Any]:
    for tool in TOOLS:
        if tool.matches(data):
            yield from tool.drafts(data, where)
            return
    known = "vllm bench serve, SGLang bench_serving, AIPerf, GuideLLM, inference-perf (a stage), InferenceX, or a CSV table of points"
    raise InputError(f"{where} is of no known benchmark", mend=f"known are {known}", code="unknown_benchmark")
