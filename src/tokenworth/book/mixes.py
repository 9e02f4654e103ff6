"""What mixes and service tiers must be to the rest of a book. Each check yields problems and changes nothing."""

from collections.abc import Iterator

from tokenworth.book.build import rules_of, typed_model, weights_of
from tokenworth.book.entries import Entries, Entry
from tokenworth.book.model import RANKS
from tokenworth.book.rules import broken
from tokenworth.book.schema import ProductTable
from tokenworth.book.suggest import did_you_mean
from tokenworth.core.errors import Problem

PAIR = 2


def check_mixes(entries: Entries) -> Iterator[Problem]:
    """Find products that no model serves, or that name models twice, without a weight, or against their own rules."""
    for entry in entries["products"].values():
        if not entry.sound("model", "mix"):
            continue
        table: ProductTable = entry.table
        if table.model is None and not table.mix:
            yield entry.problem("missing_field", "model is missing", 'write model = "gpt-mini": id of the model that serves it', "model")
        elif table.model is not None and table.mix:
            yield entry.problem("two_models", "it has a model and a mix", "keep one: a model may stand in the mix too", "model")
        else:
            yield from _check_rows(entry)
            yield from _check_rules(entries, entry)


def _check_rows(entry: Entry) -> Iterator[Problem]:
    table: ProductTable = entry.table
    seen: set[str] = set()
    for at, row in enumerate(table.mix):
        if row.model in seen:
            yield entry.problem("duplicate_model", f"{row.model} stands in the mix twice", "keep one; its weight is its share", "mix", at, "model")
        seen.add(row.model)
    if table.mix and not any(row.weight for row in table.mix):
        yield entry.problem("no_weight", "the weights sum to zero, so no model would be asked first", "give one a weight", "mix", 0, "weight")
    for field in ("hedge_after", "first_byte"):
        if getattr(table, field) is not None and (len(seen) < PAIR or table.attempts < PAIR):
            what = f"{field} asks a second model, and there is {'none' if len(seen) < PAIR else 'one attempt only'}"
            yield entry.problem("lone_model", what, "add models to its mix, or remove the field", field)


def _check_rules(entries: Entries, entry: Entry) -> Iterator[Problem]:
    table: ProductTable = entry.table
    if table.max_cost and entry.sound("max_cost"):
        for name, rate in table.max_cost.stated().items():
            if isinstance(rate, str):
                yield entry.problem("bad_reference", f"{name} is not a rate", "write a decimal in quotes", "max_cost", name)
    rules = rules_of(table)
    for at, name in enumerate(weights_of(table)):
        model = entries["models"].get(name)
        if model is None or not model.sound("quality", "regions") or not entry.sound("min_quality", "regions"):
            continue
        place = ("mix", at, "model") if table.mix else ("model",)
        for rule, why in broken(rules, typed_model(name, model.table)):
            yield entry.problem("breaks_rule", f"{name} breaks {rule}: {why}", "take it out of the mix, or mend the rule or the model", *place)


def check_tiers(entries: Entries) -> Iterator[Problem]:
    """Find tiers that do not exist or are not sold, shares of more than everything, and promises that cannot be kept or broken."""
    known = {id_: entry for id_, entry in entries["tiers"].items() if id_ in RANKS}
    for id_, entry in entries["tiers"].items():
        if id_ not in RANKS:
            yield entry.problem("unknown_tier", f"there is no service tier {id_}", did_you_mean(id_, RANKS))
    shares = {id_: entry.table.reserved for id_, entry in known.items() if entry.sound("reserved")}
    if sum(shares.values()) > 100:
        last = known[list(shares)[-1]]
        yield last.problem("reserved", f"{sum(shares.values())} per cent of each supplier are reserved", "reserve at most 100", "reserved")
    for id_, entry in known.items():
        yield from _check_promise(entries, id_, entry)
    yield from _check_capacity(entries, shares)


def _check_promise(entries: Entries, id_: str, entry: Entry) -> Iterator[Problem]:
    table = entry.table
    promised = table.first_token is not None or table.tokens_per_second is not None
    sold = {(card.id, row.product, row.tier) for card in entries["cards"].values() for row in card.table.rates}
    certain = all(card.sound("rates") for card in entries["cards"].values())
    if certain and not any(tier == id_ for *_, tier in sold):
        yield entry.problem("unsold_tier", f"no card sells the tier {id_}", f'add [[cards.ID.rates]] with tier = "{id_}"', severity="warning")
    if table.broken is None or not entry.sound("broken"):
        return
    if not promised:
        mend = "add first_token or tokens_per_second, or remove it"
        yield entry.problem("no_promise", "nothing is promised that could be broken", mend, "broken")
    if RANKS[table.broken] >= RANKS[id_]:
        lower = [tier for tier, rank in RANKS.items() if rank < RANKS[id_]]
        mend = f"write one of {', '.join(lower)}" if lower else "remove it"
        yield entry.problem("not_lower", f"{table.broken} is no lower tier than {id_}", mend, "broken")
    for card, product, tier in sorted(sold):
        if certain and tier == id_ and (card, product, table.broken) not in sold:
            what = f"the card {card} does not sell {product} at {table.broken}, so a broken promise could not be charged at it"
            yield entry.problem("unsold_tier", what, f'add [[cards.{card}.rates]] with product = "{product}" and tier = "{table.broken}"', "broken")


def _check_capacity(entries: Entries, shares: dict[str, int]) -> Iterator[Problem]:
    for entry in entries["suppliers"].values():
        slots = entry.table.concurrency
        if not slots or not entry.sound("concurrency"):
            continue
        for tier, share in shares.items():
            if share and slots * share < 100:
                what = f"{share} per cent of {slots} requests at once are less than one, so nothing is kept for {tier}"
                yield entry.problem("small_capacity", what, "raise it, or the reserved share", "concurrency")
        kept = sum(slots * share // 100 for share in shares.values())
        left_out = [tier for tier in RANKS if not shares.get(tier)]
        if slots == kept and left_out:
            what = f"all {slots} requests at once are reserved, and nothing is left for {', '.join(left_out)}"
            yield entry.problem("small_capacity", what, "raise it, or reserve less", "concurrency")


def check_contexts(entries: Entries) -> Iterator[Problem]:
    """Find models of a mix whose context is smaller than what a card prices a step for: requests of that size go past them."""
    reached: dict[str, int] = {}
    for card in entries["cards"].values():
        for row in card.table.rates:
            reached[row.product] = max(reached.get(row.product, 0), row.above)
    for entry in entries["products"].values():
        if not entry.sound("mix"):
            continue
        for at, row in enumerate(entry.table.mix):
            model = entries["models"].get(row.model)
            if model and model.sound("context") and model.table.context <= reached.get(entry.id, 0):
                what = f"a card prices input above {reached[entry.id]} tokens, and the context of {row.model} is {model.table.context}"
                yield entry.problem("short_context", what, "such requests go to the others; or take it out", "mix", at, "model", severity="warning")
