"""Shipped request traces: when real requests came and how many tokens went in and came out.

Sources, dates, licences and credit lines stand in `data/traces/README.md`.
"""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TextIO

import orjson

from tokenworth.core.errors import InputError
from tokenworth.core.instants import parse_instant

BLOCK_TOKENS = 512
"""Tokens of one prefix block of the Mooncake trace."""

MICROSECONDS = len("2023-11-16 18:15:46.680590")
"""Azure writes seven decimals of a second; the last is always cut."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request: microseconds since the trace's first, tokens in, of those found in a prefix cache, tokens out."""

    offset_us: int
    input: int
    cached: int
    output: int


def _azure(lines: TextIO) -> Iterator[Row]:
    """Azure's traces know no cache: nothing is cached."""
    first = None
    for line in csv.DictReader(lines):
        at = parse_instant(line["TIMESTAMP"][:MICROSECONDS] + "+00:00")
        first = at if first is None else first
        yield Row(at - first, int(line["ContextTokens"]), 0, int(line["GeneratedTokens"]))


def _mooncake(lines: TextIO) -> Iterator[Row]:
    """Count as cached the leading prefix blocks that an earlier request had: the hits of an infinite cache."""
    seen: set[int] = set()
    for line in lines:
        row = orjson.loads(line)
        blocks = row["hash_ids"]
        known = next((at for at, block in enumerate(blocks) if block not in seen), len(blocks))
        seen.update(blocks)
        size = row["input_length"]
        yield Row(row["timestamp"] * 1000, size, min(known * BLOCK_TOKENS, size), row["output_length"])


TRACES: Mapping[str, tuple[str, Callable[[TextIO], Iterator[Row]]]] = {
    "azure2023-conv": ("azure2023_conv.csv.gz", _azure),
    "azure2023-code": ("azure2023_code.csv.gz", _azure),
    "mooncake-conversation": ("mooncake_conversation.jsonl.gz", _mooncake),
}
"""File and reader by name."""
HASHED = ("mooncake-conversation",)
"""Traces that say which blocks of prompts are equal."""


@cache
def load(name: str) -> Sequence[Row]:
    """Return a shipped trace's rows in order of arrival, read once a process; InputError names the known traces."""
    if name not in TRACES:
        raise InputError(f"no trace is called {name!r}", mend=f"use one of {', '.join(TRACES)}", code="unknown_trace")
    with _open(name) as lines:
        return tuple(TRACES[name][1](lines))


@contextmanager
def _open(name: str) -> Iterator[TextIO]:
    packed = files("tokenworth") / "data" / "traces" / TRACES[name][0]
    with packed.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8", newline="") as lines:
        yield lines


def prefix_blocks(name: str) -> Sequence[tuple[int, tuple[int, ...]]]:
    """Return each prompt's tokens and the hashes of its blocks of BLOCK_TOKENS, in order of arrival; InputError where a trace has none."""
    if name not in HASHED:
        raise InputError(f"the trace {name!r} does not say which prompts share a prefix", mend=f"use {', '.join(HASHED)}", code="no_blocks")
    with _open(name) as lines:
        rows = map(orjson.loads, lines)
        return tuple((row["input_length"], tuple(row["hash_ids"])) for row in rows)
