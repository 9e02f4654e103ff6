"""What tables of a book must be to each other: references, kinds, units, prices. Each check yields problems and changes nothing."""

from collections.abc import Callable, Container, Iterator
from itertools import chain

from tokenworth.book.build import FLEET, typed_model, weights_of
from tokenworth.book.cards import card_rows, show_date
from tokenworth.book.entries import Entries, Entry
from tokenworth.book.fields import CURRENCY
from tokenworth.book.model import Model
from tokenworth.book.schema import BookTable, RateRow
from tokenworth.book.suggest import did_you_mean
from tokenworth.core.errors import Problem
from tokenworth.core.money import NANO, format_amount
from tokenworth.price.card import DEFAULT_TIER

REFERENCES = (("models", "supplier"), ("products", "model"), ("plans", "card"), ("customers", "plan"))
"""Sections whose field names an entry of the section that is called after it."""
OVER_HTTP = ("base_url", "api_key_env", "timeout")
OF_KIND = {"openai": (*OVER_HTTP, "speaks"), "anthropic": OVER_HTTP, "fleet": (*OVER_HTTP, "speaks", *FLEET), "simulated": ("speed",)}
"""The fields that only some kinds of suppliers have, by kind."""
NEEDED_OF = {
    "openai": {"base_url": '"https://api.openai.com/v1"'},
    "anthropic": {"base_url": '"https://api.anthropic.com/v1"'},
    "fleet": {"base_url": '"http://127.0.0.1:8000/v1"', "gpu": '"h100"', "gpus": "8", "gpu_hour": '"2.29"'},
    "simulated": {},
}
"""What each kind must state, with an example."""
FLEET_COST = "tokenworth cost tokens --book DIR --model {} --write"
FREE = ("promotional", "goodwill")
NEEDED = {
    "products": 'add [products.ID] with model = "..."',
    "cards": 'add [[cards.ID.rates]] with product = "...", from, input, cache_read and output',
    "plans": 'add [plans.ID] with card = "..." and credit_price',
}
"""Sections without which nobody can buy, and how each begins."""
PriceList = Callable[[Model, str], Problem | None]
"""Says what keeps a price list from saying what a model costs in a currency, or nothing."""


def check_references(entries: Entries) -> Iterator[Problem]:
    """Find references to what is not declared."""
    for section, field in REFERENCES:
        for entry in entries[section].values():
            if entry.sound(field) and (name := getattr(entry.table, field)) is not None:
                yield from _refer(entries, entry, field, name)
    for entry in entries["products"].values():
        for at, row in enumerate(entry.table.mix):
            if entry.rows["mix"][at].sound("model"):
                yield from _refer(entries, entry, "model", row.model, "mix", at)
    for entry in entries["cards"].values():
        for at, row in _rows(entry, "product"):
            yield from _refer(entries, entry, "product", row.product, "rates", at)


def _rows(entry: Entry, *fields: str) -> Iterator[tuple[int, RateRow]]:
    """Yield the rows of a card, with their positions, in which these fields are not wrong."""
    yield from ((at, row) for at, row in enumerate(entry.table.rates) if entry.rows["rates"][at].sound(*fields))


def _refer(entries: Entries, entry: Entry, kind: str, name: str, *where: str | int) -> Iterator[Problem]:
    known = entries.declared[f"{kind}s"]
    if name not in known:
        yield entry.problem(f"unknown_{kind}", f"there is no {kind} {name}", did_you_mean(name, known), *where, kind)


def check_suppliers(entries: Entries) -> Iterator[Problem]:
    """Find fields of another kind of supplier, and what its own kind needs."""
    for entry in entries["suppliers"].values():
        if not entry.sound("kind"):
            continue
        kind = entry.table.kind
        for field in dict.fromkeys(chain(*OF_KIND.values())):
            kinds = [other for other, fields in OF_KIND.items() if field in fields]
            if kind not in kinds and getattr(entry.table, field) not in (None, []):
                what = f"{field} belongs to suppliers of kind {' or '.join(kinds)}, and {entry.id} is {kind}"
                yield entry.problem("wrong_kind", what, f'remove it, or write kind = "{kinds[0]}"', field)
        for field, example in NEEDED_OF[kind].items():
            if getattr(entry.table, field) is None and entry.sound(field):
                yield entry.problem("missing_field", f"{field} is missing", f"write {field} = {example}", field)
        yield from _check_fleet(entry)


def _check_fleet(entry: Entry) -> Iterator[Problem]:
    fleet = entry.table
    if fleet.utilisation is not None and entry.sound("utilisation") and not 0 < fleet.utilisation <= NANO:
        yield entry.problem(
            "bad_value", "a fleet works more than none of its time and at most all of it", 'write a share, such as "0.4"', "utilisation"
        )
    if (fleet.prefill is None) != (fleet.decode is None) and entry.sound("prefill", "decode"):
        field = "prefill" if fleet.decode is None else "decode"
        yield entry.problem("missing_field", f"{field} says half of what a GPU makes", "give prefill and decode, or neither", field)


def check_models(entries: Entries) -> Iterator[Problem]:
    """Find models that nobody could cost, that answer more than fits, or whose fields contradict their supplier's kind."""
    for entry in entries["models"].values():
        model = entry.table
        supplier = entries["suppliers"].get(model.supplier) if entry.sound("supplier") else None
        kind = supplier.table.kind if supplier and supplier.sound("kind") else ""
        own_cost = FLEET_COST.format(entry.id) if kind == "fleet" else ""
        if model.trace and kind and kind != "simulated":
            what = f"a trace is for simulated suppliers, and {model.supplier} is {kind}"
            yield entry.problem("wrong_kind", what, "remove it, or name another supplier", "trace")
        if model.list_price and own_cost:
            what = f"a list price is what others ask, and {model.supplier} is a fleet of your own"
            yield entry.problem("wrong_kind", what, f"remove it, and write the cost: {own_cost}", "list_price")
        if model.max_output > model.context and entry.sound("max_output", "context"):
            what = f"{model.max_output} is more than the context of {model.context} tokens"
            yield entry.problem("bad_value", what, "the answer is inside the context", "max_output")
        if not model.list_price and not any(row.tier == DEFAULT_TIER for row in model.cost) and entry.sound("list_price", "cost"):
            listed = f'add list_price = "provider/model", or [[models.{entry.id}.cost]] with from, input and output'
            yield entry.problem("missing_cost", f"nothing says what {entry.id} costs", own_cost or listed)


def check_list_prices(entries: Entries, currency: str, price_list: PriceList) -> Iterator[Problem]:
    """Find models whose cost the price list is to say, and does not."""
    for entry in entries["models"].values():
        model = entry.table
        own = {row.tier for row in model.cost}
        if model.list_price and not own >= {DEFAULT_TIER, *model.tiers} and entry.sound("list_price", "tiers", "cost"):
            problem = price_list(typed_model(entry.id, model), currency)
            if problem:
                yield entry.problem(problem.code, problem.what, problem.mend, "list_price")


def check_units(entries: Entries, book: BookTable) -> Iterator[Problem]:
    """Find units that contradict each other: the ledger counts in one."""
    if entries.book and CURRENCY.fullmatch(book.unit) and book.unit != book.currency:
        what = f"the unit {book.unit} is a currency other than the book's, {book.currency}"
        yield entries.book.problem("unit_currency", what, f'write unit = "{book.currency}", or unit = "credits"', "unit")
    for entry in entries["cards"].values():
        if entry.table.unit not in (None, book.unit):
            what = f"the card counts in {entry.table.unit}, the ledger in {book.unit}"
            yield entry.problem("card_unit", what, "leave it out; a second unit needs a book of its own", "unit")


def check_prices(entries: Entries) -> Iterator[Problem]:
    """Find products that a card cannot sell: on no card, or without the default tier when the first tier begins; and cards that sell nothing."""
    sold: dict[str, set[str]] = {}
    for entry in entries["cards"].values():
        if not entry.table.rates and entry.sound("rates"):
            mend = f"add [[cards.{entry.id}.rates]], or remove the card"
            yield entry.problem("empty_card", f"the card {entry.id} has no rates, so it sells nothing", mend)
            continue
        begins: dict[tuple[str, str], tuple[int, int]] = {}
        for at, row in _rows(entry, "product", "tier", "from"):
            begins[row.product, row.tier] = min(begins.get((row.product, row.tier), (row.since, at)), (row.since, at))
        if entry.sound("rates"):
            sold[entry.id] = {product for product, _ in begins}
        for (product, tier), (since, at) in begins.items():
            default = begins.get((product, DEFAULT_TIER))
            if entry.sound("rates") and (default is None or default[0] > since):
                what = f"{product} is priced at tier {tier} from {show_date(since)}, but not at tier default then"
                mend = f"add a row of tier default from {show_date(since)} on; it is what a request without a tier gets"
                yield entry.problem("missing_default", what, mend, "rates", at)
    yield from _unsold(entries, sold)


def _unsold(entries: Entries, sold: dict[str, set[str]]) -> Iterator[Problem]:
    for entry in entries["products"].values():
        without = [card for card, products in sold.items() if entry.id not in products]
        mend = f'add [[cards.{without[0] if without else "ID"}.rates]] with product = "{entry.id}"'
        if len(without) == len(sold):
            # a card that is itself wrong may have it
            if sold and len(sold) == len(entries.declared["cards"]):
                yield entry.problem("unpriced_product", f"no card has a price for {entry.id}", mend)
        elif without:
            what = f"{entry.id} is not sold on the card {', '.join(without)}"
            yield entry.problem("not_on_card", what, mend, severity="warning")


def check_something_is_sold(entries: Entries) -> Iterator[Problem]:
    """Find what a book needs before anybody can buy."""
    if entries.book is None:
        return
    for section, mend in NEEDED.items():
        if section not in entries.named:
            yield entries.book.problem(f"no_{section}", f"nothing is sold: the book has no {section}", mend)


def check_plans(entries: Entries, book: BookTable) -> Iterator[Problem]:
    """Find plans whose credits have no worth in currency, or two; and cards that no plan uses."""
    for entry in entries["plans"].values():
        plan = entry.table
        yield from _check_limits(entry)
        if not entry.sound("credit_price", "fee", "included"):
            continue
        if book.unit == book.currency:
            if plan.credit_price is not None:
                what = f"the unit is {book.unit} itself, worth 1"
                yield entry.problem("credit_price", what, "remove credit_price", "credit_price")
        elif not plan.credit_price and not plan.included:
            mend = 'add credit_price = "0.01", or fee and included'
            yield entry.problem("credit_price", f"nothing says what one of the {book.unit} costs on {entry.id}", mend, "credit_price")
        if plan.fee and not plan.included and not plan.credit_price and book.unit != book.currency:
            yield entry.problem("included", "the fee brings no units", 'add included = "2500"', "fee")
    known = {entry.table.card for entry in entries["plans"].values() if entry.sound("card")}
    yield from _unused(entries, known if len(entries["plans"]) == len(entries.declared["plans"]) else set(entries["cards"]))


def _check_limits(entry: Entry) -> Iterator[Problem]:
    """Find limits that contradict themselves or one another."""
    plan = entry.table
    if entry.sound("burn_down") and len(set(plan.burn_down)) < len(plan.burn_down):
        yield entry.problem("duplicate_key", "an order is stated twice", "state each at most once", "burn_down")
    if entry.sound("beyond_hold", "overdraft") and plan.beyond_hold == "capped" and plan.overdraft is not None:
        yield entry.problem("overdraft", "a capped charge makes no debt", 'remove overdraft, or write beyond_hold = "overdraft"', "overdraft")
    if entry.sound("top_up") and plan.top_up is not None and not plan.top_up.amount:
        yield entry.problem("bad_amount", "a top-up of 0 gives nothing", "give more than 0", "top_up", "amount")
    seen: set[tuple[str, str]] = set()
    for at, row in enumerate(plan.budgets):
        if not entry.rows["budgets"][at].sound():
            continue
        if (row.subject, row.window) in seen:
            yield entry.problem("duplicate_budget", f"{row.subject} has two budgets a {row.window}", "keep one", "budgets", at)
        seen.add((row.subject, row.window))


def check_holds(entries: Entries) -> Iterator[Problem]:
    """Find holds for less than a request allows on plans that put no bound on what is beyond them."""
    short = [entry for entry in entries["products"].values() if entry.sound("hold_percentile") and entry.table.hold_percentile]
    for plan in entries["plans"].values():
        if not plan.sound("beyond_hold", "overdraft") or plan.table.beyond_hold == "capped" or plan.table.overdraft is not None:
            continue
        for entry in short:
            what = f"the plan {plan.id} puts no bound on what goes beyond a hold of {entry.id}"
            yield entry.problem(
                "unbounded_overdraft", what, f'write overdraft = "..." or beyond_hold = "capped" in [plans.{plan.id}]', "hold_percentile"
            )


def _unused(entries: Entries, used: Container[str]) -> Iterator[Problem]:
    for id_, entry in entries["cards"].items():
        if id_ not in used and entry.table.rates:
            yield entry.problem("unused_card", f"no plan uses the card {id_}", f'write card = "{id_}" in a plan', severity="warning")


def check_grants(entries: Entries) -> Iterator[Problem]:
    """Find grants of demo customers that their source or plan contradicts."""
    for entry in entries["customers"].values():
        plan = entries["plans"].get(entry.table.plan) if entry.sound("plan") else None
        for at, grant in enumerate(entry.table.grants):
            if not entry.rows["grants"][at].sound():
                continue
            if grant.source in FREE and grant.paid:
                what = f"{format_amount(grant.paid)} was paid for a {grant.source} grant"
                yield entry.problem("free_grant", what, 'remove paid, or write source = "paid"', "grants", at, "paid")
            if grant.source != "included" or plan is None or not plan.sound("fee", "included"):
                continue
            if not plan.table.included:
                what = f"the plan {plan.id} includes nothing"
                yield entry.problem("included_grant", what, 'write source = "paid", or give the plan included', "grants", at, "source")
            elif grant.amount * plan.table.fee != grant.paid * plan.table.included:
                fee, included = format_amount(plan.table.fee), format_amount(plan.table.included)
                what = f"{format_amount(grant.paid)} for {format_amount(grant.amount)} is not what {plan.id} asks: {fee} for {included}"
                yield entry.problem("included_grant", what, f'write amount = "{included}" and paid = "{fee}"', "grants", at, "paid")


def check_bounds(entries: Entries, book: BookTable) -> Iterator[Problem]:
    """Find long-context rows that no request can reach, as the context of every model is smaller."""
    for entry in entries["cards"].values():
        rows = card_rows(entry, book.unit)
        for at, row in _rows(entry, "product", "above"):
            product = entries["products"].get(row.product)
            names = weights_of(product.table) if product and product.sound("model", "mix") else ()
            models = [model for name in names if (model := entries["models"].get(name)) and model.sound("context")]
            largest = max(models, key=lambda model: model.table.context, default=None)
            if largest and len(models) == len(names) and row.above >= largest.table.context:
                what = f"no request has more than {row.above} input tokens: the context of {largest.id} is {largest.table.context}"
                yield rows.problem(at, "unreachable_step", what, mend="remove the row, or mend `above` or `context`", unit="above")
