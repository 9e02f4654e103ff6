"""`tokenworth cost prefix-cache`: how much of real prompts a prefix cache of each size holds."""

import json

import click
from rich.console import Console

from tokenworth.cli.options import as_json
from tokenworth.core.errors import InputError
from tokenworth.feeds.demand import prompts
from tokenworth.feeds.traces import BLOCK_TOKENS, HASHED
from tokenworth.measure.cost.models import model_name, models
from tokenworth.measure.cost.prefix import hit_rate
from tokenworth.render.tables import Column, print_table

SIZES = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000)
BYTES = {"bf16": 2, "fp8": 1}
GIB = 2**30


@click.command(name="prefix-cache")
@click.option("--trace", type=click.Choice(list(HASHED)), default=HASHED[0], show_default=True, help="A shipped trace with block hashes.")
@click.option("--tokens", "sizes", type=click.IntRange(min=1), multiple=True, help="A size, in tokens; several may be given.")
@click.option("--served", help="A model, such as llama-3.1-70b, to say sizes in GiB too.")
@click.option("--kv", "precision", type=click.Choice(list(BYTES)), default="bf16", show_default=True, help="Precision of the model's cached values.")
@as_json
def prefix_cache(*, trace: str, sizes: tuple[int, ...], served: str | None, precision: str, as_json: bool) -> None:
    """Replay a trace's block hashes through a cache that drops what was used least recently, and say which share of the input each size held."""
    size_of = None if served is None else _token_bytes(served) * BYTES[precision]
    asked = prompts(trace)
    curve = {size: hit_rate(asked, BLOCK_TOKENS, size) for size in sorted(sizes or SIZES)}
    unbounded = hit_rate(asked, BLOCK_TOKENS)
    if as_json:
        points = [{"tokens": size, "gib": None if size_of is None else size * size_of / GIB, "hit_rate": rate} for size, rate in curve.items()]
        click.echo(json.dumps({"trace": trace, "curve": points, "unbounded": unbounded}, indent=2))
        return
    rows = [[f"{size:,}", f"{size * size_of / GIB:,.1f}" if size_of else "", f"{100 * rate:.1f} %"] for size, rate in curve.items()]
    rows.append(["unbounded", "", f"{100 * unbounded:.1f} %"])
    columns = [Column("tokens", number=True), Column("GiB", number=True), Column("input that was cached", number=True)]
    columns, rows = (columns, rows) if size_of else ([columns[0], columns[2]], [[row[0], row[2]] for row in rows])
    print_table(f"Prefix cache for {trace}", columns, rows, console=Console())


def _token_bytes(served: str) -> float:
    """Return how many values a model caches for a token."""
    found = models().get(model_name(served))
    if found is None:
        raise InputError(f"what {served} caches is not known", mend=f"use one of {', '.join(models())}", code="unknown_model")
    return found.kv_values_per_token
