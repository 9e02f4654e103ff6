"""Screens: each rule drops what it names and keeps the rest; the shipped table's known faults are found."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.support.points import point
from tokenworth.core.errors import InputError
from tokenworth.measure.cost.points import Kind, Point
from tokenworth.measure.cost.screening import RULES, Screened, Screening
from tokenworth.measure.cost.screens import screen
from tokenworth.measure.cost.table import measured, read_table, shipped

HEADER = (
    "id,model_path,system,backend,backend_version,precision,mode,isl,osl,conc,gpus,tp_size,attention_dp_size,moe_ep_size,measured,"
    "silicon_ttft_ms,silicon_tpot_ms"
)


def screened(*points: Point) -> Screened:
    return screen(points, Screening())


def rules(table: Screened) -> Counter[str]:
    return Counter(verdict.rule for verdict in table.dropped)


def rows(*lines: str) -> Screened:
    return read_table([HEADER, *lines], "test.csv")


def test_a_clean_run_stays_whole() -> None:
    run = [point(60, 100), point(50, 300), point(40, 800)]
    table = screened(*run)
    assert list(table.points) == run
    assert not table.dropped


def test_the_fewest_points_are_dropped_that_contradict_the_others() -> None:
    run = [point(60, 100, concurrency=4), point(12, 50, concurrency=8), point(50, 300, concurrency=16), point(40, 500, concurrency=32)]
    table = screened(*run)
    assert [verdict.source for verdict in table.dropped] == ["test 12"]
    assert rules(table) == {"not_monotone": 1}


def test_one_measurement_counts_once_with_the_gpus_that_were_stated() -> None:
    twice = point(50, 37.5, gpus=64, concurrency=64), point(50, 300, gpus=8, concurrency=64)
    table = screened(*twice)
    assert [kept.gpus for kept in table.points] == [8]
    assert rules(table) == {"same_measurement": 1}


def test_weights_fit_into_memory() -> None:
    # 671e9 bytes; an H200 holds 141 GiB, so five do
    four, five = (point(10, 10, model="deepseek-r1", gpu="h200_sxm", gpus=gpus, concurrency=gpus) for gpus in (4, 5))
    table = screened(four, five)
    assert list(table.points) == [five]
    assert rules(table) == {"larger_than_memory": 1}


def test_no_step_is_faster_than_memory() -> None:
    # 70.6e9 parameters of one byte on one H100 of 3.35 TB/s: 21 ms at least, 23.4 at nine tenths of it
    slow, fast = point(40, 40, gpus=1, parallelism="tp1", concurrency=1), point(50, 50, gpus=1, parallelism="tp1", concurrency=1, version="2")
    table = screened(slow, fast)
    assert list(table.points) == [slow]
    assert rules(table) == {"faster_than_memory": 1}
    assert "reading takes 23.5 ms" in table.dropped[0].reason


def test_no_gpu_makes_more_than_its_operations() -> None:
    # 1979e12 operations/s over 2 x 8.03e9 a token, prompts included: 61,600 tokens/s of output at equal lengths
    most = {"model": "llama-3.1-8b", "gpus": 8, "concurrency": 100.0}
    assert rules(screened(point(50, 61_000, **most))) == {}
    assert rules(screened(point(50, 62_000, **most))) == {"faster_than_compute": 1}


def test_what_nobody_measured_is_not_screened() -> None:
    odd = [point(50, 1e9, kind=Kind.PREDICTED), point(60, 1e9, kind=Kind.BOUND), point(60, 1e9, kind=Kind.BOUND)]
    assert list(screened(*odd).points) == odd


def test_models_and_gpus_that_nobody_knows_are_kept() -> None:
    odd = point(5000, 1e9, model="new", gpu="new")
    assert list(screened(odd).points) == [odd]


def test_an_older_run_is_not_faster_at_twice_the_load() -> None:
    newer = [point(60, 100, concurrency=4, measured="2026-03-01"), point(50, 300, concurrency=16, measured="2026-03-01")]
    older = point(58, 900, concurrency=64, measured="2025-12-01", version="0")
    table = screened(*newer, older)
    assert list(table.points) == newer
    assert rules(table) == {"contradicted": 1}


def runs_of(fast_version: str, slow_version: str, gain: float) -> Screened:
    slow = [point(speed, 100, concurrency=load, version=slow_version, measured="2026-01-02") for speed, load in ((50, 4), (40, 16))]
    fast = [point(p.interactivity * gain, 100, concurrency=p.concurrency, version=fast_version, measured="2026-01-20") for p in slow]
    return screened(*slow, *fast)


@pytest.mark.parametrize(
    ("fast", "slow", "gain", "marks"),
    [
        ("1", "1", 1.35, {True: 2, False: 2}),
        ("1", "1", 1.25, {None: 4}),
        ("2", "1", 1.35, {None: 4}),
        ("2", "1", 1.45, {True: 2, False: 2}),
    ],
)
def test_much_faster_in_one_version_or_within_weeks_is_speculative(fast: str, slow: str, gain: float, marks: dict[bool | None, int]) -> None:
    assert Counter(p.stack.speculative for p in runs_of(fast, slow, gain).points) == marks


def test_one_load_is_not_enough_to_tell() -> None:
    slow, fast = point(50, 100, concurrency=4, measured="2026-01-02"), point(90, 100, concurrency=4, measured="2026-01-20")
    assert {p.stack.speculative for p in screened(slow, fast).points} == {None}


@pytest.mark.parametrize(
    ("row", "gpus", "parallelism"),
    [
        # the id says what was stated
        ("x_tp8_ep8_1,deepseek-ai/DeepSeek-R1,b200_sxm,sglang,,fp8,agg,1024,1024,64,64,64,1,8,,500,20", 8, "tp8 ep8"),
        ("x_tp2_ep2_1,openai/gpt-oss-120b,h200_sxm,sglang,,fp4,agg,1024,1024,64,4,4,1,2,,500,20", 2, "tp2 ep2"),
        # no engine in one piece spans more than a server
        ("x_cfg7,deepseek-ai/DeepSeek-R1,b200_sxm,sglang,,fp8,agg,1024,1024,64,64,1,64,8,,500,20", 8, "dp8 ep8"),
        ("x_cfg7,MiniMaxAI/MiniMax-M2.5,h100_sxm,sglang,,fp8,agg,1024,1024,64,16,4,4,16,,500,20", 4, "dp4 ep4"),
        # right as they stand
        ("x_tp8_epnone_1,deepseek-ai/DeepSeek-R1,b200_sxm,sglang,,fp8,agg,1024,1024,64,8,8,1,4,,500,20", 8, "tp8 ep4"),
        ("x_cfg7,deepseek-ai/DeepSeek-R1,gb200,sglang,,fp8,disagg,1024,1024,64,72,,,,,500,20", 72, "disagg cfg7"),
    ],
)
def test_gpus_are_counted_once(row: str, gpus: int, parallelism: str) -> None:
    (found,) = rows(row).points
    assert (found.gpus, found.parallelism) == (gpus, parallelism)
    # 64 requests of 0.9 x 1024 tokens in 0.5 s and 20 ms a token
    assert found.throughput == pytest.approx(64 * 921.6 / (0.5 + 921.6 * 0.02) / gpus)


@pytest.mark.parametrize(("column", "value"), [("gpus", "0"), ("gpus", ""), ("silicon_tpot_ms", "nan"), ("silicon_tpot_ms", "-1"), ("conc", "inf")])
def test_what_is_incomplete_is_listed(column: str, value: str) -> None:
    whole = "a,openai/gpt-oss-120b,h200_sxm,vllm,,fp4,agg,1024,1024,64,2,2,1,1,,500,20"
    values = dict(zip(HEADER.split(","), whole.split(","), strict=True))
    table = rows(",".join((values | {column: value}).values()))
    assert [(v.source, v.rule, v.reason) for v in table.dropped] == [("test.csv a", "incomplete", f"{column} is not given")]


@pytest.mark.parametrize(
    "row", ["a,x,y,vllm,,fp4,agg,many,1024,64,2,2,1,1,,500,20", "a,x,y,vllm,,fp4,agg,1024,1024,64,2,2,1,1,March,500,20", "a,x,y"]
)
def test_a_row_that_cannot_be_read_is_listed_and_the_others_count(row: str) -> None:
    table = rows(row, "b,x,y,vllm,,fp4,agg,1024,1024,64,2,2,1,1,2026-03-01,500,20")
    assert [point.source for point in table.points] == ["test.csv b"]
    assert rules(table) == {"incomplete": 1}


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match=r"test\.csv has no column conc, gpus"):
        read_table(["id,model_path,system,backend,isl,osl,silicon_ttft_ms,silicon_tpot_ms"], "test.csv")


def test_every_shipped_row_is_accounted_for() -> None:
    table = shipped()
    assert len(table.points) + len(table.dropped) == 2990
    assert len({verdict.source for verdict in table.dropped}) == len(table.dropped)
    assert {verdict.rule for verdict in (*table.dropped, *table.mended)} <= set(RULES)


def test_known_faults_of_the_shipped_table_are_found() -> None:
    """As the data's own note tells them: an impossible point, one that differs 2.6 times, speculative decoding at 170 against 95 tokens/s/user."""
    assert not [p for p in measured() if p.stack.model == "gpt-oss-120b" and p.stack.gpu == "h100_sxm" and p.throughput > 8000]
    h200 = [
        p for p in measured() if (p.stack.model, p.stack.gpu, p.stack.engine, p.gpus, p.concurrency) == ("deepseek-r1", "h200_sxm", "trtllm", 8, 4)
    ]
    by_mark = {mark: [p.interactivity for p in h200 if p.stack.speculative is mark] for mark in (True, False)}
    assert min(by_mark[True]) > max(by_mark[False])


def test_no_two_points_tell_one_measurement() -> None:
    keys = [(replace(p.stack, speculative=None), p.gpus, p.concurrency, round(p.ttft, 4), round(p.tpot, 5)) for p in measured()]
    assert len(keys) == len(set(keys))
