"""Prices of a GPU-hour: names, files, and offers from gpuhunt's own catalogue format, served from a folder."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

from tokenworth.core.errors import InputError, SupplierError
from tokenworth.feeds.gpu_offers import live_quotes
from tokenworth.feeds.gpu_prices import gpu_called, read_quotes, shipped_quotes, write_quotes
from tokenworth.measure.cost.hourly import Quote, Terms

FIELDS = [
    "instance_name",
    "location",
    "price",
    "cpu",
    "memory",
    "gpu_count",
    "gpu_name",
    "gpu_memory",
    "spot",
    "disk_size",
    "gpu_vendor",
    "flags",
    "cpu_arch",
    "provider_data",
]


@pytest.mark.parametrize("text", ["H100", "h100_sxm", "h100-SXM", " H100 sxm"])
def test_a_bare_name_means_the_sxm_form(text: str) -> None:
    assert gpu_called(text, [quote.gpu for quote in shipped_quotes()]) == "h100_sxm"


def test_other_forms_keep_their_name() -> None:
    known = [quote.gpu for quote in shipped_quotes()]
    assert (gpu_called("H100 PCIe", known), gpu_called("mi300x", known)) == ("h100_pcie", "mi300x")
    with pytest.raises(InputError, match="use one of a100_pcie"):
        gpu_called("tpu", known)


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    quotes = [Quote("h100_sxm", "me", Terms.SPOT, 1.25, "2026-11-01", "my contract", 1.0, 1.5)]
    assert write_quotes(quotes, tmp_path / "prices.csv") == 1
    assert read_quotes(tmp_path / "prices.csv") == quotes


def test_every_problem_of_a_file_of_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("date,gpu,provider,terms,usd_gpu_hour\n2026-13-01,h100,me,spot,1\n2026-01-01,h100,me,weekly,one\n")
    with pytest.raises(InputError) as caught:
        read_quotes(path)
    assert [line.rpartition("[")[0].split(" ")[1] for line in str(caught.value).splitlines()] == ["date:", "usd_gpu_hour:", "terms:"]


def offer(gpu: str, memory: float, *, count: int, price: float, spot: bool) -> dict[str, object]:
    values = ["i", "eu", price, 8, 64, count, gpu, memory, spot, 100, "nvidia", "", "x86", "{}"]
    return dict(zip(FIELDS, values, strict=True))


def publish(folder: Path, provider: str, offers: list[dict[str, object]]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, FIELDS)
    table.writeheader()
    table.writerows(offers)
    (folder / provider / "7").mkdir(parents=True)
    (folder / provider / "version").write_text("7")
    with zipfile.ZipFile(folder / provider / "7" / "catalog.zip", "w") as packed:
        packed.writestr(f"{provider}.csv", text.getvalue())


def test_offers_become_a_price_a_provider_and_terms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUHUNT_CATALOG_URL", tmp_path.as_uri())
    publish(
        tmp_path,
        "runpod",
        [
            offer("H100", 80, count=1, price=3.0, spot=False),
            offer("H100", 80, count=8, price=16.0, spot=False),
            offer("H100", 80, count=2, price=5.0, spot=False),
            offer("H100", 80, count=1, price=1.0, spot=True),
            offer("H100NVL", 94, count=1, price=9.0, spot=False),
            # another GPU of the same name
            offer("H100", 40, count=1, price=0.5, spot=False),
        ],
    )
    publish(tmp_path, "lambdalabs", [offer("A100", 80, count=1, price=1.5, spot=False)])
    asked, spot = live_quotes("h100_sxm", "2026-11-25")
    assert (asked.terms, asked.usd, asked.low) == (Terms.ON_DEMAND, 2.5, 2.0)
    assert asked.high == pytest.approx(2.9)
    assert (spot.terms, spot.usd, spot.provider, spot.date) == (Terms.SPOT, 1.0, "runpod", "2026-11-25")
    assert spot.source == "gpuhunt, catalogue 7"


def test_no_catalogue_and_no_such_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUHUNT_CATALOG_URL", (tmp_path / "nowhere").as_uri())
    with pytest.raises(SupplierError) as caught:
        live_quotes("h100_sxm", "2026-11-25")
    assert caught.value.code == "unreachable"
    with pytest.raises(InputError):
        live_quotes("h100_pcie", "2026-11-25")
