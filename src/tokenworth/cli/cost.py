"""`tokenworth cost`: what a token costs to make. Each command is a file, imported when it is called."""

import click

from tokenworth.cli.lazy import Lazily, LazyGroup

COMMANDS = {
    "frontier": Lazily("cost_frontier", "speed against throughput, from measurements: print, plot, export, and what was dropped"),
    "predict": Lazily("cost_predict", "the frontier of what nobody measured, with its band, and how far to trust it"),
    "energy": Lazily("cost_energy", "joules of a token, and what power alone makes it cost"),
    "import": Lazily("cost_import", "files of benchmark tools -> a table of measured points"),
    "gpu-hour": Lazily("cost_hour:gpu_hour", "what an hour of a GPU costs: rented, owned, over time"),
    "prefix-cache": Lazily("cost_cache:prefix_cache", "how much of real prompts a prefix cache of each size holds"),
    "fleet": Lazily("cost_fleet:fleet", "GPUs against a demand: constant, autoscaled, as the book has them"),
    "tokens": Lazily("cost_fleet:tokens", "dollars a million tokens by class, written into a book if asked"),
    "generations": Lazily("cost_generations", "cost at equal speed from one generation of GPUs to the next, and why it fell"),
}


@click.group(cls=LazyGroup, lazily=COMMANDS)
def command() -> None:
    """Say what a token costs to make on GPUs, at the speed at which it is sold (the extra `analytics`)."""
