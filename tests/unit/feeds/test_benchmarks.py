"""Benchmark files of real tools, run against a mock server; how each was made stands in tests/golden/README.md."""

import json
from pathlib import Path

import pytest

from tokenworth.core.errors import InputError
from tokenworth.feeds.benchmarks.draft import Given
from tokenworth.feeds.benchmarks.read import read_benchmarks
from tokenworth.measure.cost.points import Point
from tokenworth.measure.cost.table import read_table, write_table

FILES = Path(__file__).parents[2] / "golden" / "benchmarks"
MACHINE = Given(model="meta-llama/Llama-3.1-8B-Instruct", gpu="H100", gpus=2, engine="vllm")


def points(*names: str, given: Given = MACHINE) -> list[Point]:
    return list(read_benchmarks([FILES / name for name in names], given).points)


CASES = {
    "vllm_c2.json": [2],
    "vllm_c8.json": [8],
    "sglang.jsonl": [2, 8],
    "profile_export_aiperf.json": [4],
    "guidellm.json": [1, 16],
    "inferencex_single_c8.json": [8],
    "inferencex_multinode.json": [8],
}
"""Requests under way of each file's points."""


@pytest.mark.parametrize("name", CASES)
def test_every_tool_is_read(name: str) -> None:
    found = points(name)
    assert [each.concurrency for each in found] == CASES[name]
    for each in found:
        # the mock takes 60 ms to the first token and 6 to each other, and more while the machine is busy
        assert 0.06 <= each.ttft < 0.2
        assert 0.006 <= each.tpot < 0.02
        # a closed loop: as many tokens a second as requests under way over the time of one
        expected = each.concurrency * each.stack.output_tokens / (each.ttft + each.tpot * (each.stack.output_tokens - 1))
        assert each.throughput * each.gpus == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("name", "requests"), [("stage_0_lifecycle_metrics.json", 21), ("stage_1_lifecycle_metrics.json", 46)])
def test_an_open_loop_has_the_concurrency_of_littles_law(name: str, requests: int) -> None:
    (found,) = points(name)
    stage = json.loads((FILES / name).read_text())
    busy = requests * stage["successes"]["latency"]["request_latency"]["mean"] / stage["benchmark_time_seconds"]
    assert found.concurrency == pytest.approx(busy)
    # the server counted 32 tokens an answer, the tool's own tokenizer 118
    assert found.stack.output_tokens == 32
    assert found.throughput * found.gpus == pytest.approx(requests * 32 / stage["benchmark_time_seconds"])


def test_guidellm_and_aiperf_times_do_not_hold_the_first_token() -> None:
    first = json.loads((FILES / "guidellm.json").read_text())["benchmarks"][0]["metrics"]
    latency, ttft = first["request_latency"]["successful"]["mean"], first["time_to_first_token_ms"]["successful"]["mean"] / 1000
    assert points("guidellm.json")[0].tpot == pytest.approx((latency - ttft) / 31, rel=0.01)
    aiperf = json.loads((FILES / "profile_export_aiperf.json").read_text())
    # the server counted 32 tokens, AIPerf's tokenizer 118
    assert points("profile_export_aiperf.json")[0].tpot == pytest.approx(aiperf["inter_chunk_latency"]["avg"] / 1000, rel=0.01)


def test_rows_of_several_nodes_count_all_gpus() -> None:
    """One benchmark, told as one node of two GPUs and as four that prefill with eight that decode: the same tokens a second in all."""
    nothing = Given()
    (single,) = points("inferencex_single_c8.json", given=nothing)
    (several,) = points("inferencex_multinode.json", given=nothing)
    assert (single.gpus, several.gpus) == (2, 12)
    assert several.throughput * 12 == pytest.approx(single.throughput * 2)
    assert (several.stack.speculative, single.stack.speculative) == (True, False)
    assert several.parallelism == "disagg 4 prefill as 1x tp4, 8 decode as 1x tp8"
    assert several.stack.engine == "trtllm"


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("vllm_c2.json", "--gpu --gpus"),
        ("sglang.jsonl", "--model --gpu --gpus"),
        ("profile_export_aiperf.json", "--gpu --gpus --engine"),
        ("guidellm.json", "--gpu --gpus --engine"),
        ("stage_0_lifecycle_metrics.json", "--model --gpu --gpus --engine"),
    ],
)
def test_what_is_missing_is_named_with_the_option_that_says_it(name: str, missing: str) -> None:
    with pytest.raises(InputError) as caught:
        points(name, given=Given())
    assert name in caught.value.what
    assert caught.value.mend == f"say it with {missing}"


def test_a_run_without_streaming_cannot_be_used(tmp_path: Path) -> None:
    data = json.loads((FILES / "vllm_c2.json").read_text()) | {"mean_tpot_ms": 0.0}
    (tmp_path / "a.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match="does not tell the time between tokens"):
        read_benchmarks([tmp_path / "a.json"], MACHINE)


@pytest.mark.parametrize(
    ("text", "code"), [("{}", "unknown_benchmark"), ("[1]", "unknown_benchmark"), ("{", "bad_json"), ("line 1\nline 2", "bad_json")]
)
def test_what_is_no_benchmark_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError) as caught:
        read_benchmarks([tmp_path / "a.json"])
    assert caught.value.code == code
    assert "a.json" in caught.value.what


def test_a_table_reads_back_what_was_written(tmp_path: Path) -> None:
    written = points("vllm_c2.json", "vllm_c8.json", "sglang.jsonl")
    with (tmp_path / "points.csv").open("w", newline="") as out:
        write_table(written, out)
    with (tmp_path / "points.csv").open() as lines:
        read = read_table(lines, "points.csv").points
    assert [each.stack for each in read] == [each.stack for each in written]
    assert [each.throughput for each in read] == pytest.approx([each.throughput for each in written], rel=1e-5)
