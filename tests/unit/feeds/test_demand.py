"""Demand by name and from files: the publishers' shares, and every problem at its line."""

from pathlib import Path

import pytest

from tokenworth.core.errors import InputError
from tokenworth.feeds.demand import names, read_demand, shipped
from tokenworth.feeds.traces import load
from tokenworth.measure.cost.demand import Tokens
from tokenworth.store.rows import COLUMNS


@pytest.mark.parametrize(("name", "share"), [("language/m-large", 0.34), ("language/m-mid", 0.52), ("language/m-small", 0.30)])
def test_mean_over_peak_of_the_series(name: str, share: float) -> None:
    demand = shipped(f"servegen:{name}")
    totals = [tokens.total for tokens in demand.intervals]
    assert (demand.seconds, len(totals)) == (600, 14 * 144)
    assert sum(totals) / len(totals) / max(totals) == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize("name", names())
def test_every_name_is_a_demand(name: str) -> None:
    assert shipped(name).total.output > 0


def test_a_trace_loses_no_token() -> None:
    rows = load("mooncake-conversation")
    total = shipped("mooncake-conversation", seconds=7).total
    assert total.input + total.cache_read == sum(row.input for row in rows)
    assert (total.cache_read, total.output) == (sum(row.cached for row in rows), sum(row.output for row in rows))


def test_a_small_cache_hits_less_and_a_stated_rate_is_kept() -> None:
    unbounded, small = (shipped("mooncake-conversation", cache_tokens=size).total.cache_read for size in (10**9, 10**6))
    assert unbounded == shipped("mooncake-conversation").total.cache_read > 2 * small > 0
    half = shipped("servegen:language/m-large", hit_rate=0.5).total
    assert half.input == pytest.approx(half.cache_read)


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("nobody", {}, "unknown_demand"),
        ("servegen:language/m-large", {"cache_tokens": 5}, "bad_option"),
        ("mooncake-conversation", {"cache_tokens": 5, "hit_rate": 0.5}, "bad_option"),
        ("azure2023-conv", {"cache_tokens": 5}, "no_blocks"),
    ],
)
def test_what_cannot_be_asked(name: str, more: dict[str, int], code: str) -> None:
    with pytest.raises(InputError) as caught:
        shipped(name, **more)
    assert caught.value.code == code


def test_a_file_of_requests(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("at,input,cache_read,output,reasoning\n2026-01-01T00:00:00Z,10,5,3,2\n2026-01-01T00:01:30Z,1,0,1,\n")
    demand = read_demand(path)
    assert demand.intervals == (Tokens(10, 5, 5), Tokens(1, 0, 1))
    assert read_demand(path, seconds=120, hit_rate=0.5).intervals == (Tokens(8, 8, 6),)
    # its columns are among those of exported events
    assert {"at", "input", "cache_read", "output", "reasoning"} <= set(COLUMNS)


def test_every_problem_is_told_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("at,input,output\nsoon,10,5\n3,ten,5\n4,1,-2\n")
    with pytest.raises(InputError) as caught:
        read_demand(path)
    told = str(caught.value).splitlines()
    assert [line.removeprefix(str(path)).split(" ")[:2] for line in told] == [[":2:", "at:"], [":3:", "input:"], [":4:", "output:"]]


def test_times_in_two_units(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("at,input,output\n5,1,1\n2026-01-01T00:00:00Z,1,1\n")
    with pytest.raises(InputError) as caught:
        read_demand(path)
    assert caught.value.code == "long_demand"


@pytest.mark.parametrize(
    "text", ["at,input,output\nnan,1,1\n", "at,input,output\ninf,1,1\n", "", "input,output\n1,2\n", "at,input,output\n", "at,input,output\n1,0,0\n"]
)
def test_a_file_that_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(InputError):
        read_demand(path)
