"""Every kind of supplier that a book may name can be made, and served."""

from typing import get_args

import pytest

from tests.support.shop import book
from tokenworth.book.checks import NEEDED_OF, OF_KIND
from tokenworth.book.model import Fleet, Supplier
from tokenworth.book.schema import SupplierTable
from tokenworth.flows.serve.wire.find import find_bridge
from tokenworth.suppliers.openai import OpenAISupplier
from tokenworth.wiring.suppliers import make_suppliers

KINDS = get_args(SupplierTable.model_fields["kind"].annotation)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_and_has_a_bridge_and_fields(kind: str) -> None:
    supplier = Supplier("s", kind, base_url="http://127.0.0.1:1/v1")
    assert make_suppliers(book({"s": supplier}), {}, lambda: 0).keys() == {"s"}
    assert find_bridge("chat", supplier)
    assert kind in OF_KIND
    assert set(NEEDED_OF[kind]) <= set(OF_KIND[kind])


def test_a_fleet_is_served_as_any_engine_of_the_wire_format() -> None:
    supplier = Supplier("s", "fleet", base_url="http://127.0.0.1:1/v1", fleet=Fleet("h100", 8, 2_290_000_000))
    made = make_suppliers(book({"s": supplier}), {}, lambda: 0)["s"]
    assert isinstance(made, OpenAISupplier)
    assert made.base_url == supplier.base_url
