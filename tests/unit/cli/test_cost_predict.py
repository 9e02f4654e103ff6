"""`tokenworth cost predict` and `energy` as an operator meets them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tokenworth.cli import cli, main

UNSEEN = ("predict", "--model", "llama-3.1-70b", "--gpu", "b300", "--engine", "trtllm", "--lengths", "1024/1024")


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["cost", *args])


def data(*args: str) -> Any:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_prediction_is_told_with_its_kind_and_band() -> None:
    shown = run(*UNSEEN, "--at", "60").stdout
    assert "llama-3.1-70b b300_sxm trtllm fp8 1024/1024: predicted" in shown
    assert "nothing measured of this model, GPU, engine and precision" in shown
    assert "80% of cases" in shown


def test_json_has_what_the_table_has() -> None:
    found = data(*UNSEEN, "--at", "60")
    assert found["kind"] == "predicted"
    asked = found["throughput_at"]["60"]
    assert asked["low"] < asked["likely"] < asked["high"]
    assert all(point["low"] < point["throughput"] < point["high"] for point in found["points"])


def test_a_bound_says_so() -> None:
    assert {point["kind"] for point in data("predict", "--model", "llama-3.1-70b", "--gpu", "MI355X")["points"]} == {"bound"}


def test_it_is_drawn_and_written(tmp_path: Path) -> None:
    plot, table = tmp_path / "a.svg", tmp_path / "a.csv"
    assert run(*UNSEEN, "--plot", str(plot), "--csv", str(table)).exit_code == 0
    assert "band of 80%" in plot.read_text()
    assert len(table.read_text().splitlines()) > 5


def test_validation_is_printed() -> None:
    shown = run("predict", "--validate").stdout
    for row in ("seen stacks: 5 folds", "unseen stacks: each left out whole", "kernels, not calibrated", "roofline, without efficiency"):
        assert row in shown
    assert re.search(r"llama-3.1-70b h100_sxm trtllm fp8 +tp2 +\d+", shown)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["predict"], "missing_option"),
        (["predict", "--model", "llama-3.1-70b", "--gpu", "voodoo2"], "unknown_gpu"),
        (["predict", "--model", "nobody/knows", "--gpu", "mi300x"], "unknown_model"),
        (["predict", "--model", "deepseek-r1", "--gpu", "v6e", "--precision", "bf16"], "too_large"),
        (["energy", "--model", "gpt-oss-120b", "--at", "100000"], "outside_frontier"),
        (["energy", "--model", "nobody/knows"], "no_points"),
    ],
)
def test_what_cannot_be_answered_is_refused(args: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["cost", *args, "--json"])
    assert stopped.value.code == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == code


def test_energy_is_told_by_how_watts_are_known() -> None:
    rows = data("energy", "--model", "gpt-oss-120b", "--at", "150", "--power-price", "0.1")
    by_gpu = {row["gpu"]: row for row in rows}
    assert by_gpu["h100_sxm"]["joules_nameplate"] == pytest.approx(700 / by_gpu["h100_sxm"]["throughput"])
    assert by_gpu["h200_sxm"]["joules_metered"] is None, "ML.ENERGY measured H100 and B200"
    assert by_gpu["b200_sxm"]["joules_all_in"] == pytest.approx(2170 / by_gpu["b200_sxm"]["throughput"])
    assert by_gpu["b200_sxm"]["floor_usd_million"] == pytest.approx(by_gpu["b200_sxm"]["joules_all_in"] / 3.6 * 0.1)
    assert by_gpu["b200_sxm"]["floor_usd_million"] < by_gpu["h200_sxm"]["floor_usd_million"] < by_gpu["h100_sxm"]["floor_usd_million"]


def test_energy_of_what_nobody_measured_is_predicted() -> None:
    rows = data("energy", "--model", "llama-3.1-70b", "--gpu", "b300", "--gpu", "mi355x", "--gpu", "h200", "--engine", "trtllm", "--at", "60")
    assert {row["gpu"]: row["kind"] for row in rows} == {"b300_sxm": "predicted", "mi355x": "bound", "h200_sxm": "measured"}
    shown = run("energy", "--model", "llama-3.1-70b", "--gpu", "mi355x", "--at", "60").stdout
    assert "SemiAnalysis survey of 2025-08-01" in shown
