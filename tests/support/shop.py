"""Books for tests of serving, made without files."""

from collections.abc import Mapping
from dataclasses import replace

from tokenworth.book.build import digest_files
from tokenworth.book.model import Book, Model, Plan, Product, Supplier
from tokenworth.core.money import parse_rate
from tokenworth.price.card import Card, Terms, compile_terms

RATES = {"input": "1", "cache_read": "0.1", "output": "4"}
COSTS = {"input": "0.5", "cache_read": "0.05", "cache_write": "1", "cache_write_1h": "1.5", "output": "2"}
CONTEXT = 8_000
MAX_OUTPUT = 1_000
FILES = {"book.toml": "# made by a test"}


def terms(rates: Mapping[str, str], source: str, currency: str = "credits") -> Terms:
    """Return terms in force for ever; rates are text per million."""
    steps = {0: {name: parse_rate(text) for name, text in rates.items()}}
    return compile_terms(currency=currency, since=0, source=source, steps=steps)


def model(name: str, supplier: str, **more: object) -> Model:
    """Return a model with a small context."""
    values = {"context": CONTEXT, "max_output": MAX_OUTPUT, "trace": "azure2023-conv"} | more
    return Model(name, supplier, f"{name}-upstream", "", **values)  # type: ignore[arg-type]


def book(suppliers: Mapping[str, Supplier], *, rates: Mapping[str, Mapping[str, str]] | None = None, **more: object) -> Book:
    """Return a book with one product and model a supplier, of the supplier's name, at two tiers; `rates` by product where they differ."""
    suppliers = {name: replace(supplier, id=name) for name, supplier in suppliers.items()}
    cells = {}
    for name in suppliers:
        own = (rates or {}).get(name, RATES)
        cells[name, "default"] = (terms(own, f"{name} default"),)
        cells[name, "priority"] = (terms({unit: str(2 * int(text)) for unit, text in own.items() if text.isdigit()}, f"{name} priority"),)
    costs = {(name, "default"): (terms(COSTS, f"cost of {name}", "USD"),) for name in suppliers}
    models = {name: model(name, name, **more) for name in suppliers}
    return Book(
        id=digest_files(FILES),
        name="test",
        unit="credits",
        currency="USD",
        suppliers=suppliers,
        models=models,
        products={name: Product(name, name) for name in suppliers},
        cards={"retail": Card("retail", "credits", cells)},
        plans={"payg": Plan("payg", "retail")},
        costs=Card("costs", "USD", costs),
        files=FILES,
    )


def simulated(speed: int = 0) -> Supplier:
    """Return a simulated supplier."""
    return Supplier("sim", "simulated", speed=speed)


def upstream(url: str, timeout: int = 5, *, speaks: str = "") -> Supplier:
    """Return a supplier at an address, that speaks chat completions and embeddings, or one other format only."""
    kind = "anthropic" if speaks == "messages" else "openai"
    return Supplier("upstream", kind, base_url=url, timeout=timeout, speaks=(speaks,) if speaks in ("chat", "responses") else ())
