"""The cost card of a book: list prices, and the book's own costs before them."""

from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot

from tokenworth.book.load import load_files
from tokenworth.book.model import Book
from tokenworth.book.starter import starter_files
from tokenworth.core.errors import BookError
from tokenworth.core.instants import parse_instant, to_datetime
from tokenworth.wiring.costs import cost_card

AT = parse_instant("2026-11-23")


def book(old: str = "", new: str = "", more: str = "") -> Book:
    files = starter_files()
    return load_files({name: text.replace(old, new) if old else text for name, text in files.items()} | {"more.toml": more})


@pytest.mark.parametrize("model", ["gpt-mini", "sonnet", "kimi"])
def test_the_starters_models_have_the_packages_price_of_the_day(model: str) -> None:
    provider, _, name = book().models[model].list_price.partition("/")
    _, found = get_snapshot().find_provider_model(name, get_snapshot().find_provider(None, provider, None), None, None)
    price = found.get_prices(to_datetime(AT))
    rates = cost_card(book()).terms(model, "default", AT).steps[0].rates
    for unit in ("input", "cache_read", "output"):
        assert rates[unit] == Decimal(str(getattr(price, f"{unit}_mtok"))) * 10**6
    assert not found.deprecated


def test_the_books_own_cost_comes_first() -> None:
    card = cost_card(
        book(
            more='[[models.kimi2.cost]]\nfrom = 2026-01-01\ninput = "7"\noutput = "8"\n[models.kimi2]\n'
            'supplier = "sim"\nname = "k"\ncontext = 1\nmax_output = 1\nlist_price = "moonshotai/nothing"\n'
        )
    )
    assert card.terms("kimi2", "default", AT).source == "costs@2026-01-01 kimi2/default"
    assert card.terms("kimi", "default", AT).source.startswith("genai-prices")


def test_tiers_that_are_passed_on_have_their_own_price() -> None:
    card = cost_card(book('# tiers = ["flex", "priority"]', 'tiers = ["flex", "priority"] #'))
    assert card.terms("gpt-mini", "flex", AT).rate("input") < card.terms("gpt-mini", "default", AT).rate("input")


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("moonshotai/kimi-k2.6", "moonshotai/kimi-k99", ["unknown_list_price"]),
        ("moonshotai/kimi-k2.6", "deepseek/deepseek-flash", ["time_of_day_price"]),
        ('currency = "USD"', 'currency = "EUR"', ["list_price_currency"] * 3),
    ],
)
def test_what_the_list_cannot_say_is_a_problem_at_the_model(old: str, new: str, codes: list[str]) -> None:
    with pytest.raises(BookError) as caught:
        cost_card(book(old, new))
    assert [problem.code for problem in caught.value.problems] == codes
    for problem in caught.value.problems:
        assert (problem.file, problem.field.rpartition(".")[2]) == ("suppliers.toml", "list_price")
        assert starter_files()["suppliers.toml"].split("\n")[problem.line - 1].startswith("list_price")
        assert problem.mend
