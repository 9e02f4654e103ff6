"""Valid entries -> the typed parts of a book."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields

from tokenworth.book import model
from tokenworth.book.cards import Compiled, card_rows
from tokenworth.book.entries import Entries, Entry
from tokenworth.book.schema import BookTable, CustomerTable, GrantRow, ModelTable, PlanTable, ProductTable, SupplierTable, TierTable
from tokenworth.capture.policy import Beyond, Budget, Order, Policy, TopUp
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.ids import digest
from tokenworth.core.instants import SECOND
from tokenworth.core.money import NANO
from tokenworth.core.periods import Window
from tokenworth.price.card import Card

COSTS = "costs"
MILLISECOND = SECOND // 1000
FLEET = tuple(field.name for field in fields(model.Fleet))


def build(entries: Entries, cards: Mapping[str, Compiled], costs: Sequence[Compiled], *, files: Mapping[str, str]) -> model.Book:
    """Make the book of entries without problems."""
    if entries.book is None:
        raise AssertionError("a book without [book] is a problem")
    table: BookTable = entries.book.table
    return model.Book(
        id=digest_files(files),
        name=table.name,
        unit=table.unit,
        currency=table.currency,
        suppliers={id_: _supplier(id_, entry.table) for id_, entry in entries["suppliers"].items()},
        models={id_: typed_model(id_, entry.table) for id_, entry in entries["models"].items()},
        products={id_: _product(id_, entry.table) for id_, entry in entries["products"].items()},
        cards={id_: Card(id_, table.unit, made.cells) for id_, made in cards.items()},
        plans={id_: _plan(id_, entry.table, table) for id_, entry in entries["plans"].items()},
        costs=Card(COSTS, table.currency, {cell: terms for made in costs for cell, terms in made.cells.items()}),
        loss_leaders=_loss_leaders(entries),
        tiers={id_: _tier(id_, entries["tiers"].get(id_)) for id_ in model.RANKS},
        customers={id_: _customer(id_, entry.table) for id_, entry in entries["customers"].items()},
        files=dict(files),
    )


def digest_files(files: Mapping[str, str]) -> str:
    """Return the digest of files by name, whatever their order and line ends."""
    canonical = {name: text.replace("\r\n", "\n") for name, text in files.items()}
    return digest(json.dumps(canonical, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


FIELDS = ("base_url", "api_key_env", "timeout", "speed", "concurrency", "tokens_per_minute")
"""Of suppliers, where they are stated."""


def _supplier(id_: str, table: SupplierTable) -> model.Supplier:
    stated = {name: value for name in FIELDS if (value := getattr(table, name)) is not None}
    fleet = typed_fleet(table) if table.kind == "fleet" else None
    return model.Supplier(id_, table.kind, speaks=tuple(table.speaks), **stated, fleet=fleet)


def typed_fleet(table: SupplierTable) -> model.Fleet:
    """Return the GPUs of a supplier of kind fleet."""
    return model.Fleet(**{name: value for name in FLEET if (value := getattr(table, name)) is not None})


def typed_model(id_: str, table: ModelTable) -> model.Model:
    """Return a model's typed part."""
    stated = {name: value for name in ("trace", "tokenizer", "input_allowance") if (value := getattr(table, name)) is not None}
    list_price = table.list_price or ""
    sets = {"regions": frozenset(table.regions), "modalities": frozenset(table.modalities or ())}
    more = {"tiers": tuple(table.tiers), "quality": table.quality, **sets, **stated}
    return model.Model(id_, table.supplier, table.name, list_price, table.context, table.max_output, **more)


def weights_of(table: ProductTable) -> dict[str, int]:
    """Return weights by model of a product's table."""
    return {row.model: row.weight for row in table.mix} or {table.model or "": 1}


def rules_of(table: ProductTable) -> model.Rules:
    """Return what a product's table asks of its models."""
    stated = table.max_cost.stated() if table.max_cost else {}
    most = {name: rate for name, rate in stated.items() if isinstance(rate, int)}
    return model.Rules(table.min_quality, frozenset(table.regions), most) if table.min_quality is not None or table.regions or most else model.ANY


def _product(id_: str, table: ProductTable) -> model.Product:
    return model.Product(
        id_,
        next(iter(weights_of(table))),
        table.description,
        table.hold_percentile or 0,
        table.broken_off == "free",
        mix={row.model: row.weight for row in table.mix},
        rules=rules_of(table),
        asking=model.Asking(table.attempts, (table.first_byte or 0) * SECOND, (table.hedge_after or 0) * MILLISECOND),
    )


def _tier(id_: str, entry: Entry | None) -> model.Tier:
    standard = model.STANDARD_TIERS[id_]
    if entry is None:
        return standard
    table: TierTable = entry.table
    return model.Tier(
        id_,
        table.patience * SECOND if table.patience else standard.patience,
        table.reserved,
        (table.first_token or 0) * MILLISECOND,
        table.tokens_per_second or 0,
        table.broken or "",
    )


def _plan(id_: str, table: PlanTable, book: BookTable) -> model.Plan:
    # a unit that is the currency itself is worth 1
    price = NANO if book.unit == book.currency else table.credit_price or 0
    rates = model.Rates(table.requests_per_minute or 0, table.tokens_per_minute or 0, table.concurrent_streams or 0)
    return model.Plan(id_, table.card, table.fee, table.included, price, _policy(table), rates)


def _policy(table: PlanTable) -> Policy:
    top_up = table.top_up
    return Policy(
        burn_down=tuple(map(Order, table.burn_down)),
        beyond=Beyond(table.beyond_hold),
        overdraft=INT64_MAX if table.overdraft is None else table.overdraft,
        credit_line=table.credit_line,
        zone=table.time_zone,
        budgets=tuple(Budget(row.subject, Window(row.window), row.limit) for row in table.budgets),
        low_balance=tuple(table.low_balance),
        top_up=TopUp(top_up.below, top_up.amount, top_up.paid) if top_up else None,
        postpaid=table.postpaid,
    )


def _customer(id_: str, table: CustomerTable) -> model.DemoCustomer:
    return model.DemoCustomer(id_, table.plan, table.share, tuple(_grant(row) for row in table.grants))


def _grant(row: GrantRow) -> model.DemoGrant:
    return model.DemoGrant(row.source, row.amount, row.paid)


def _loss_leaders(entries: Entries) -> dict[str, str]:
    found = {}
    for entry in entries["cards"].values():
        rows = card_rows(entry, "")
        found.update({rows.cite(row): row.loss_leader for row in entry.table.rates if row.loss_leader})
    return found
