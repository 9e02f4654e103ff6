"""`tokenworth cost frontier`, `import` and `generations` as an operator meets them."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tokenworth.cli import cli

FILES = Path(__file__).parents[2] / "golden" / "benchmarks"
GPT = ("--model", "gpt-oss-120b", "--gpu", "b200", "--lengths", "1024/1024")


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["cost", *args])


def data(*args: str) -> object:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_models_are_listed() -> None:
    shown = run("frontier").stdout
    assert re.search(r"llama-3.1-70b +\d+ +\d+ +b200_sxm, h100_sxm, h200_sxm +trtllm, vllm +2025-10-29", shown)


def test_a_frontier_is_told_with_its_points_and_sources() -> None:
    shown = run("frontier", *GPT, "--engine", "trtllm", "--at", "100", "--at", "10").stdout
    row = next(line for line in shown.splitlines() if "56.7 to 436.9" in line)
    assert row.split()[-1] == "-", "10 tokens/s/user lies below what was measured"
    assert "2026_04_06_gpt_oss_120b_b200_sxm_trtllm_fp4_agg_1024x1024_c256_tp1_ep1" in shown


def test_json_has_what_the_table_has() -> None:
    found = data("frontier", *GPT, "--best", "--at", "100", "--at", "10")
    assert isinstance(found, list)
    assert found[0]["throughput_at"]["10"] is None
    throughputs = [point["throughput"] for point in found[0]["points"]]
    assert throughputs == sorted(throughputs, reverse=True)


@pytest.mark.parametrize(("flag", "rule"), [("--dropped", "faster_than_memory"), ("--mended", "gpus_counted_twice")])
def test_what_was_dropped_and_mended_is_listed(flag: str, rule: str) -> None:
    listed = data("frontier", flag)
    assert isinstance(listed, list)
    assert rule in {each["rule"] for each in listed}
    assert rule in run("frontier", flag).stdout


def test_plots_are_drawn_and_ask_no_network(tmp_path: Path) -> None:
    starts = {"a.png": b"\x89PNG", "a.svg": b"<svg", "a.html": b"<!DOCTYPE html>"}
    for name, start in starts.items():
        assert run("frontier", *GPT, "--plot", str(tmp_path / name)).exit_code == 0
        assert (tmp_path / name).read_bytes().startswith(start)
    page = (tmp_path / "a.html").read_text()
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)


def test_a_form_that_charts_do_not_have_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    result = run("frontier", *GPT, "--csv", str(tmp_path / "a.csv"), "--plot", str(tmp_path / "a.pdf"))
    assert getattr(result.exception, "code", "") == "bad_form"
    assert not list(tmp_path.iterdir())


def test_what_is_exported_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    renamed = run("frontier", *GPT, "--engine", "vllm", "--csv", str(file))
    assert renamed.exit_code == 0
    file.write_text(file.read_text().replace("gpt-oss-120b", "mine"))
    found = data("frontier", "--points", str(file), "--model", "mine")
    assert isinstance(found, list)
    assert len(found[0]["points"]) == 9


def test_benchmark_files_become_a_table(tmp_path: Path) -> None:
    out = str(tmp_path / "points.csv")
    files = [str(FILES / f"vllm_c{load}.json") for load in (2, 8)]
    refused = run("import", *files, "--out", out, "--gpu", "H100")
    assert str(refused.exception) == "vllm_c2.json does not tell: gpus (say it with --gpus)"
    assert run("import", *files, "--out", out, "--gpu", "H100", "--gpus", "2").stdout == f"2 points in {out}, 0 dropped.\n"
    assert "llama-3.1-8b   h100_sxm   vllm" in run("frontier", "--points", out, "--model", "llama-3.1-8b", "--gpu", "h100", "--engine", "vllm").stdout


def test_an_import_says_as_json_what_it_dropped(tmp_path: Path) -> None:
    told = data("import", str(FILES / "inferencex_single_c8.json"), str(FILES / "inferencex_single_c8.json"), "--out", str(tmp_path / "points.csv"))
    assert isinstance(told, dict)
    assert told["points"] == 1
    assert [each["rule"] for each in told["dropped"]] == ["same_measurement"]


def test_without_the_extra_its_name_is_said() -> None:
    code = "import sys; sys.modules['scipy'] = None; from tokenworth.cli import main; main(['cost', 'frontier'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "error: scipy is not installed (install the extra: pip install 'tokenworth[analytics]') [missing_extra]\n",
    )


def test_what_was_not_measured_is_said_with_what_was() -> None:
    error = run("frontier", "--model", "deepseek-r1", "--gpu", "h100", "--lengths", "1/1").exception
    assert str(error).startswith("no point was measured of deepseek-r1 on h100 at 1/1 tokens (measured are h100_sxm trtllm fp8 1024/1024;")


def test_generations_tell_cost_fall_and_claim() -> None:
    told = data(
        "generations", "--model", "deepseek-r1", "--lengths", "8192/1024", "--from", "h200", "--to", "b200", "--at", "30", "--gpu-hour", "h200=2"
    )
    assert isinstance(told, dict)
    by_gpu = {each["gpu"]: each for each in told["generations"]}
    assert list(by_gpu) == ["h100_sxm", "h200_sxm", "b200_sxm", "gb200", "gb300"]
    assert by_gpu["h200_sxm"]["hour"] == {"value": 2.0, "low": 2.0, "high": 2.0, "source": "given"}
    (fall,) = told["falls"]
    assert math.prod(step["factor"] for step in fall["steps"]) == pytest.approx(fall["factor"])
    assert (told["claim"]["old"], told["claim"]["new"]) == ("h200_sxm", "b200_sxm")


def test_generations_are_drawn(tmp_path: Path) -> None:
    files = [tmp_path / "cost.svg", tmp_path / "claim.svg"]
    shown = run("generations", "--model", "llama-3.1-70b", "--plot", str(files[0]), "--plot-claim", str(files[1])).stdout
    assert all(file.read_text().startswith("<svg") for file in files)
    assert "Claims, not measurements" in shown
    assert "5 times the throughput: " in shown


@pytest.mark.parametrize("option", ["--gpu-hour=h100", "--gpu-hour=h100=-1", "--claim=5", "--claim=0:1", "--lengths=8192"])
def test_what_options_cannot_mean_is_refused(option: str) -> None:
    assert run("generations", "--model", "deepseek-r1", option).exit_code == 2
