"""`tokenworth cost gpu-hour`, `prefix-cache`, `fleet` and `tokens` as an operator meets them."""

import json
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tokenworth.cli import cli
from tokenworth.feeds.gpu_prices import read_quotes

FLEET = ("--demand", "servegen:reason/deepseek-r1", "--gpu", "h200", "--prefill", "5000", "--decode", "1500")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ("cost", *arguments))


def data(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def columns(text: str, title: str) -> set[tuple[int, ...]]:
    """Return where the points of numbers stand in the lines of a table."""
    lines = text.split(title, 1)[1].splitlines()
    start = next(at for at, line in enumerate(lines) if "─" in line) + 1
    rows = lines[start : next(at for at, line in enumerate(lines) if at > start and not line.strip())]
    assert rows
    return {tuple(at for at, sign in enumerate(row) if sign == "." and row[at - 1].isdigit() and row[at + 1].isdigit()) for row in rows}


def test_gpu_hour_tells_the_day_of_the_spread() -> None:
    found = data("gpu-hour", "h100", "--until", "2026-03-03")
    assert round(found["rented"]["spot"]["least"], 2) == 0.80
    assert round(found["rented"]["on_demand"]["most"], 2) == 9.80
    assert found["rented"]["reserved"]["prices"][0]["date"] == "2025-08-01"
    assert {each["status"] for each in found["surveys"]} == {"quoted", "unverified"}
    assert list(found["path"]) == ["0", "1", "2", "3", "4"]


def test_owned_by_the_annuity_and_the_surveys_power() -> None:
    own = ("--capital", "40000", "--life", "4", "--interest", "0", "--power-price", "0.1")
    found = data("gpu-hour", "b200", *own)["owned"]
    assert found["capital"] == pytest.approx(40_000 / 4 / 8_760)
    # 1.71 kW all in, of the last survey
    assert found["power"] == pytest.approx(0.171)
    assert found["usd"] == pytest.approx(found["capital"] + found["power"])
    lacking = run("gpu-hour", "b200", "--capital", "40000", "--pue", "1.2")
    assert str(lacking.exception).endswith("(give --life, --interest, --kilowatts, --power-price with --capital)")


def test_prices_of_ones_own_come_beside_the_shipped(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("date,gpu,provider,terms,usd_gpu_hour\n2026-11-01,gb200,me,reserved,2.2\n")
    assert [each["usd"] for each in data("gpu-hour", "gb200", "--prices", str(path))["rented"]["reserved"]["prices"]] == [2.2, 2.6]
    assert len(read_quotes(path)) == 1


def test_nothing_to_save_without_live(tmp_path: Path) -> None:
    assert run("gpu-hour", "h100", "--save", str(tmp_path / "x.csv")).exception.code == "bad_option"  # type: ignore[union-attr]


def test_the_cache_curve_rises() -> None:
    found = data("prefix-cache", "--tokens", "1000000", "--tokens", "10000000", "--served", "llama-3.1-70b", "--kv", "fp8")
    first, second = found["curve"]
    assert 0 < first["hit_rate"] < second["hit_rate"] < found["unbounded"]
    # 163,840 bytes a token: 80 layers of 8 heads of 128 values, twice
    assert first["gib"] == pytest.approx(1e6 * 80 * 8 * 128 * 2 / 2**30)


def test_fleets_compare_and_never_bill_a_second_twice() -> None:
    found = data("fleet", *FLEET, "--peak", "0.9")
    for fleet in found["fleets"].values():
        seconds = fleet["gpu_seconds"]
        assert seconds["work"] + seconds["starting"] + seconds["whole_idle"] <= seconds["paid"] + 1
        assert sum(map(Decimal, fleet["shares"].values())) == Decimal(fleet["bill"])
    work = {name: fleet["gpu_seconds"]["work"] for name, fleet in found["fleets"].items()}
    assert work["only the work"] == pytest.approx(work["constant, 0.9 quantile"])


def test_tables_line_up() -> None:
    assert len(columns(run("fleet", *FLEET).output, "Fleets for")) == 1
    shown = run("tokens", *FLEET, "--hit-rate", "0.25").output
    rows = columns(shown, "What tokens cost")
    # the total has no interval
    assert len({row[:5] for row in rows}) == 1
    assert len(columns(run("prefix-cache", "--tokens", "1000000", "--tokens", "5000000").output, "Prefix cache")) == 1


def test_tokens_at_full_and_at_real_utilisation() -> None:
    found = data("tokens", *FLEET, "--utilisation", "0.25", "--gpu-hour", "2:1:4")
    for name, real in found["classes"].items():
        assert real["value"] == pytest.approx(4 * found["full"]["usd_per_million"][name], rel=1e-4)
        # the price's own factor of two to either side
        assert real["high"] == pytest.approx(2 * real["value"])
        assert real["low"] == pytest.approx(real["value"] / 2)
    # 1,500 tokens a second and GPU at $2: 1e6 / 1500 / 3600 * 2, a quarter of the time
    assert found["classes"]["output"]["value"] == pytest.approx(1e6 / 1500 / 3600 * 2 * 4, rel=1e-4)


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
def test_a_plot_in_each_form(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"fleet.{suffix}"
    assert run("fleet", *FLEET, "--plot", str(path)).exit_code == 0
    content = path.read_bytes()
    if suffix == "png":
        assert content.startswith(b"\x89PNG")
    elif suffix == "svg":
        assert "GPUs for servegen:reason/deepseek-r1" in "".join(ET.fromstring(content).itertext())
    else:
        # its scripts are inside
        assert b'src="http' not in content
        assert b"autoscaled, 300 s to start" in content


def test_a_plot_in_no_form(tmp_path: Path) -> None:
    result = run("fleet", *FLEET, "--plot", str(tmp_path / "fleet.pdf"))
    assert getattr(result.exception, "code", "") == "bad_form"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["two", "1:2", "2:3:4", "-1", "1:0.5:inf"])
def test_a_figure_that_is_none(text: str) -> None:
    assert run("tokens", *FLEET, "--gpu-hour", text).exit_code == 2
