"""`tokenworth cost import`: files of benchmark tools -> a table of points."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tokenworth.cli.options import NamedPath, as_json
from tokenworth.feeds.benchmarks.draft import Given
from tokenworth.feeds.benchmarks.read import read_benchmarks
from tokenworth.measure.cost.table import write_table
from tokenworth.render.frontiers import verdict_data


@click.command()
@click.argument("files", nargs=-1, required=True, type=NamedPath(exists=True, dir_okay=False))
@click.option("--out", required=True, type=NamedPath(dir_okay=False), help="The CSV table to write, for --points of the other commands.")
@click.option("--model", help="What was served.")
@click.option("--gpu", help="On which GPU, such as h100.")
@click.option("--gpus", type=click.IntRange(min=1), help="On how many, prefill and decode together.")
@click.option("--engine", help="What served it: vllm, sglang, trtllm or another's name.")
@click.option("--precision", help="Of the weights: bf16, fp8, fp4, int4.")
@click.option("--input-tokens", type=click.IntRange(min=1), help="Nominal tokens of a prompt; the mean of what was sent if absent.")
@click.option("--output-tokens", type=click.IntRange(min=1), help="Nominal tokens of an answer. Points of equal lengths make a frontier.")
@click.option("--speculative/--not-speculative", default=None, help="Whether speculative decoding was on.")
@click.option("--parallelism", help="How the model is spread, such as 'tp8 ep8'.")
@as_json
def command(files: Sequence[Path], out: Path, *, as_json: bool, **said: Any) -> None:
    """Read FILES of a benchmark into a table of points.

    Known are `vllm bench serve` JSON, SGLang's bench_serving JSON lines, AIPerf's profile_export_aiperf.json, GuideLLM's benchmarks.json, stages of
    inference-perf and rows of InferenceX. Options say what the files do not, and go before what they say.
    """
    found = read_benchmarks(files, Given(**said))
    with out.open("w", encoding="utf-8", newline="") as table:
        write_table(found.points, table)
    if as_json:
        click.echo(json.dumps({"points": len(found.points), "dropped": verdict_data(found.dropped), "mended": verdict_data(found.mended)}))
        return
    for verdict in found.dropped:
        click.echo(f"dropped {verdict.source}: {verdict.reason} [{verdict.rule}]", err=True)
    click.echo(f"{len(found.points)} points in {out}, {len(found.dropped)} dropped.")
