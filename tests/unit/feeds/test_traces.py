"""Shipped traces against their publishers' own counts and a plain reading of the files."""

import gzip
import json
from itertools import pairwise
from pathlib import Path

import pytest

import tokenworth.feeds.traces as module
from tokenworth.core.errors import InputError
from tokenworth.feeds.traces import TRACES, Row, load

FOLDER = Path(module.__file__).parents[1] / "data" / "traces"


@pytest.mark.parametrize(("name", "rows"), [("azure2023-conv", 19_366), ("azure2023-code", 8_819), ("mooncake-conversation", 12_031)])
def test_every_row_is_there_in_order(name: str, rows: int) -> None:
    loaded = load(name)
    assert len(loaded) == rows
    assert loaded[0].offset_us == 0
    assert all(a.offset_us <= b.offset_us for a, b in pairwise(loaded))
    assert all(0 <= row.cached <= row.input for row in loaded)


def test_azure_rows_by_hand() -> None:
    # 18:15:46.6805900 374,44; then 18:15:50.9951690 396,109
    assert load("azure2023-conv")[:2] == (Row(0, 374, 0, 44), Row(4_314_579, 396, 0, 109))


def test_mooncake_cache_is_the_known_prefix() -> None:
    """A quadratic reading of the first rows: the longest prefix of blocks that some earlier request had in full."""
    lines = gzip.decompress((FOLDER / TRACES["mooncake-conversation"][0]).read_bytes()).splitlines()[:400]
    seen: list[list[int]] = []
    for line, row in zip(lines, load("mooncake-conversation"), strict=False):
        given = json.loads(line)
        blocks = given["hash_ids"]
        shared = max((common(blocks, earlier) for earlier in seen), default=0)
        size = given["input_length"]
        assert row == Row(given["timestamp"] * 1000, size, min(512 * shared, size), given["output_length"])
        seen.append(blocks)


def common(one: list[int], other: list[int]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def test_an_unknown_trace_names_the_known() -> None:
    with pytest.raises(InputError, match="azure2023-code"):
        load("azure")


def test_each_file_is_credited() -> None:
    readme = (FOLDER / "README.md").read_text()
    assert all(file in readme for file, _ in TRACES.values())
