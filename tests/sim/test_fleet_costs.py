"""GPUs of one's own, from an empty folder to an event that has their cost: estimate, write, check, serve."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest
from click.testing import CliRunner, Result

from tests.support.gateway import ROOT, add_customer, free_port, until
from tests.support.upstream import Upstream
from tokenworth.book.load import load
from tokenworth.cli import cli
from tokenworth.core.money import NANO, parse_rate
from tokenworth.store.sqlite.reader import Reader

SUPPLIER = """
[suppliers.gpus]
kind = "fleet"
base_url = "{url}"
gpu = "h100"
gpus = 256
gpu_hour = "2.29"
interactivity = 50

[models.llama]
supplier = "gpus"
name = "llama-3.1-70b"
context = 8000
max_output = 1000

[products.llama]
model = "llama"

[[cards.standard.rates]]
product = "llama"
from = 2026-01-01
input = "150"
cache_read = "30"
output = "450"
"""
DEMAND = ("--demand", "servegen:language/m-large", "--hit-rate", "0.3")
HELLO: Any = [{"role": "user", "content": "hello you there"}]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def shop(tmp_path: Path, supplier: Upstream) -> Path:
    folder = tmp_path / "shop"
    assert run("init", str(folder)).exit_code == 0
    (folder / "fleet.toml").write_text(SUPPLIER.format(url=supplier.url("echo")), encoding="utf-8")
    return folder


def test_own_gpus_are_priced_and_served_like_bought_tokens(shop: Path, tmp_path: Path) -> None:
    without = run("check", str(shop), "--at", "2026-11-25")
    assert (without.exit_code, "[missing_cost]" in without.stderr) == (2, True)

    asked = ("cost", "tokens", *DEMAND, "--book", str(shop), "--model", "llama", "--from", "2026-11-01")
    estimate = json.loads(run(*asked, "--json").stdout)
    assert sum(Decimal(share) for share in estimate["real"]["shares"].values()) == Decimal(estimate["real"]["bill"]) == 256 * 336 * Decimal("2.29")
    written = run(*asked, "--write")
    assert written.exit_code == 0, written.exception

    rates = load(shop).costs.cells["llama", "default"][0].steps[0].rates
    for name, found in estimate["classes"].items():
        assert abs(rates[name] - found["value"] * 10**6) <= 0.5
        assert f"{found['low']:.6f} to {found['high']:.6f}" in (shop / "costs.toml").read_text()

    checked = json.loads(run("check", str(shop), "--at", "2026-11-25", "--json").stdout)
    assert checked["good"]
    rows = {row["unit"]: row for row in checked["rows"] if row["product"] == "llama"}
    assert {unit: parse_rate(row["cost"]) for unit, row in rows.items()} == {unit: rates[unit] for unit in rows}
    # a credit is worth $0.008 on the cheapest plan, so 150 of them bring $1.20
    assert Decimal(rows["input"]["margin"]) == pytest.approx(1 - Decimal(rows["input"]["cost"]) / Decimal("1.2"), abs=Decimal("0.000001"))

    event = served(shop, tmp_path / "ledger.db")
    assert event.counts == {"input": 15, "cache_read": 5, "output": 7}
    exact = sum(count * rates[name] for name, count in event.counts.items())
    assert abs(event.cost * 1_000 - exact) <= 500
    assert event.charge == 15 * 150_000 + 5 * 30_000 + 7 * 450_000


def served(shop: Path, database: Path) -> Any:
    """Serve one request from the fleet; return its event."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    log = database.with_suffix(".log")
    secret = add_customer(database, "acme", NANO)
    with log.open("w") as out:
        command = [sys.executable, "-m", "tokenworth", "serve", str(shop), "--db", str(database), "--port", str(port)]
        serving = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        until(lambda: "client.chat" in log.read_text(), seconds=20)
        with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=secret, max_retries=0) as client:
            client.chat.completions.create(model="llama", messages=HELLO, max_completion_tokens=50)
    finally:
        serving.terminate()
        assert serving.wait(20) == 0
    with Reader(database) as reader:
        (event,) = reader.read()
    return event


def test_a_second_row_of_the_same_date_is_refused_and_changes_nothing(shop: Path) -> None:
    asked = ("cost", "tokens", *DEMAND, "--book", str(shop), "--model", "llama", "--from", "2026-11-01", "--write")
    assert run(*asked).exit_code == 0
    before = (shop / "costs.toml").read_bytes()
    again = run(*asked)
    assert again.exit_code != 0
    assert "duplicate_rate" in str(again.exception)
    assert (shop / "costs.toml").read_bytes() == before
    assert sorted(path.name for path in shop.iterdir()) == sorted(path.name for path in shop.glob("*.toml"))
    # a new estimate is a row of a later date
    later = run(*asked[:-3], "--from", "2026-12-01", "--write")
    assert later.exit_code == 0
    assert len(load(shop).costs.cells["llama", "default"]) == 2


def test_a_book_in_another_currency_states_its_costs_itself(shop: Path) -> None:
    text = (shop / "book.toml").read_text()
    (shop / "book.toml").write_text(text.replace('currency = "USD"', 'currency = "EUR"'))
    result = run("cost", "tokens", *DEMAND, "--book", str(shop), "--model", "llama", "--write")
    assert getattr(result.exception, "code", "") == "currency"


def test_without_a_cached_token_the_cost_of_one_is_that_of_input(shop: Path) -> None:
    asked = ("cost", "tokens", "--demand", "azure2023-conv", "--book", str(shop), "--model", "llama", "--write")
    assert run(*asked).exit_code == 0
    rates = load(shop).costs.cells["llama", "default"][0].steps[0].rates
    assert rates["cache_read"] == rates["input"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--model", "llama"), "no_book"),
        (("--book", "{shop}", "--model", "lama"), "unknown_model"),
        (("--book", "{shop}", "--model", "kimi"), "no_fleet"),
        (("--book", "{shop}", "--model", "llama", "--demand", "nobody"), "unknown_demand"),
        (("--book", "{shop}", "--model", "llama", "--speed", "5000"), "one_shape"),
        (("--gpu", "h100", "--write"), "no_book"),
        (("--gpu", "h100"), "no_throughput"),
        (("--gpu", "tpu", "--prefill", "5", "--decode", "5"), "unknown_gpu"),
        (("--prefill", "5", "--decode", "5"), "no_price"),
        (("--gpu", "h100", "--prefill", "5", "--decode", "5", "--allocate", "ramsey"), "bad_elasticity"),
    ],
)
def test_what_cannot_be_costed_says_why(shop: Path, arguments: tuple[str, ...], code: str) -> None:
    before = {path.name: path.read_bytes() for path in shop.iterdir()}
    result = run("cost", "tokens", *DEMAND, *(each.format(shop=shop) for each in arguments))
    assert getattr(result.exception, "code", "") == code
    assert {path.name: path.read_bytes() for path in shop.iterdir()} == before
