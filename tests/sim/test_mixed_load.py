"""A few hundred requests over all formats, tiers and kinds of suppliers; then every account of them agrees to the nano-unit.

What clients saw in headers and comments, the ledger and its proof, the metrics, the statement, the promises, the exported files, and the columns
that rate them again.
"""

import asyncio
import csv
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.sim.test_apply import Shop, served
from tests.sim.test_cli_serve import tokenworth
from tests.support.gateway import until
from tests.support.upstream import Upstream, running
from tests.support.vendors import Vendors
from tokenworth.book.load import load
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.money import NANO, format_amount, parse_amount
from tokenworth.flows.statement import summarise
from tokenworth.store.lake.parquet import write_parquet
from tokenworth.store.lake.rating import rerate
from tokenworth.store.sqlite.reader import Reader
from tokenworth.wiring.clock import now
from tokenworth.wiring.ledgers import open_registry

GRANTED = 1_000 * NANO
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages", "embeddings": "/v1/embeddings"}
TIERS = {"flex": 1, "default": 2, "priority": 4}
"""Rates of each, as many times those of flex."""
ALONE = {"chat": "vchat", "claude": "vmsg", "resp": "vresp", "sim": "sim", "dies": "dies", "nousage": "nousage", "free": "dies", "errs": "errs"}
"""Products with one model."""
MIXED = {"mixed": ("fails", "vchat", "vmsg")}
PRODUCTS = (*ALONE, *MIXED)


def book(vendors: Vendors, upstream: Upstream) -> str:
    """Return a book in which every product is at three tiers, with every form that rates may have."""
    text = '[book]\nname = "Mixed"\n[plans.payg]\ncard = "standard"\ncredit_price = "1"\n'
    text += '[tiers.priority]\npatience = 20\nfirst_token = 1\nbroken = "default"\n[tiers.flex]\npatience = 60\n'
    text += '[suppliers.sim]\nkind = "simulated"\nspeed = 0\n'
    urls = {name: upstream.url(name) for name in ("fails", "dies", "nousage", "errs")}
    for name, url in {**urls, "vchat": vendors.url("text"), "vmsg": vendors.url("thinking"), "vresp": vendors.url("calls")}.items():
        kind, more = ("anthropic", "") if name == "vmsg" else ("openai", 'speaks = ["responses"]\n' if name == "vresp" else "")
        limit = "concurrency = 4\n" if name == "vchat" else ""
        text += f'[suppliers.{name}]\nkind = "{kind}"\nbase_url = "{url}"\n{more}{limit}'
    for name in (*urls, "vchat", "vmsg", "vresp", "sim"):
        text += f'[models.{name}]\nsupplier = "{name}"\nname = "{name}-1"\ncontext = 8000\nmax_output = 1000\ntokenizer = "bytes"\n'
        text += f'[[models.{name}.cost]]\nfrom = 2026-01-01\ninput = "0.1"\ncache_read = "0.1"\ncache_write = "0.1"\noutput = "0.1"\n'
    for name, model in ALONE.items():
        text += f'[products.{name}]\nmodel = "{model}"\n' + ('broken_off = "free"\n' if name == "free" else "")
    text += "[products.mixed]\n" + "".join(f'[[products.mixed.mix]]\nmodel = "{model}"\n' for model in MIXED["mixed"])
    for name in PRODUCTS:
        for tier, times in TIERS.items():
            text += rates(name, tier, times)
    return text


def rates(product: str, tier: str, times: int) -> str:
    head = f'[[cards.standard.rates]]\nproduct = "{product}"\ntier = "{tier}"\nfrom = 2026-01-01\n'
    more = {"chat": "packages = { output = 50 }\n", "sim": 'minimum = "0.0123456"\n', "resp": f'request = "{times * 1000}"\n'}.get(product, "")
    plain = f'input = "{times}.000001"\ncache_read = "{times}"\ncache_write = "{2 * times}"\ncache_write_1h = "{3 * times}"\n'
    text = head + plain + f'output = "{5 * times}.5"\n' + more
    if product == "claude":
        text += head + f'above = 120\nmarginal = true\ninput = "{3 * times}"\ncache_read = "{2 * times}"\n'
        text += f'cache_write = "{4 * times}"\ncache_write_1h = "{6 * times}"\n'
    if product == "mixed":
        text += head + f'above = 350\ninput = "{2 * times}"\ncache_read = "{times}"\ncache_write = "{2 * times}"\n'
        text += f'cache_write_1h = "{3 * times}"\noutput = "{9 * times}"\n'
    return text


@dataclass(frozen=True)
class Ask:
    """A request of the load; a client that leaves reads one piece."""

    api: str
    product: str
    tier: str
    stream: bool
    leaves: bool = False

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.product} | ({"service_tier": self.tier} if self.tier else {})
        said = [{"role": "user", "content": "What is the weather?"}]
        if self.api == "embeddings":
            return body | {"input": ["one", "two"]}
        body |= {"stream": self.stream} | ({"input": said} if self.api == "responses" else {"messages": said})
        return body | {{"chat": "max_completion_tokens", "messages": "max_tokens", "responses": "max_output_tokens"}[self.api]: 400}


def asks() -> list[Ask]:
    """Return every format, product, tier and kind of answer once, in an order of no meaning."""
    made = [
        Ask(api, product, tier, stream)
        for api in ("chat", "responses", "messages")
        for product in PRODUCTS
        for tier in ("", *TIERS)
        for stream in (False, True)
    ]
    made += [Ask("embeddings", product, tier, stream=False) for product in ("chat", "sim") for tier in ("", *TIERS)]
    made += [Ask(api, "sim", "", stream=True, leaves=True) for api in ("chat", "responses", "messages") for _ in range(3)]
    random.Random(4).shuffle(made)
    return made


@dataclass(frozen=True)
class Got:
    """What a client saw: `charge` None where it was told none."""

    ask: Ask
    status: int
    event: str
    hold: int
    charge: int | None
    code: str


def told(content: bytes) -> Mapping[str, str]:
    at = content.rfind(b": tokenworth ")
    return json.loads(content[at + 13 :].split(b"\n")[0]) if at >= 0 else {}


def code(content: bytes) -> str:
    """Return the code of an error of any shape."""
    for line in reversed(content.splitlines()):
        try:
            found = json.loads(line.removeprefix(b"data: "))
        except ValueError:
            continue
        error = found.get("error", found if found.get("type") == "error" else None)
        return str(error.get("code") or error.get("message")) if isinstance(error, dict) else ""
    return ""


async def send(http: aiohttp.ClientSession, url: str, secret: str, ask: Ask) -> Got:
    async with http.post(url + PATHS[ask.api], json=ask.body, headers={"x-api-key": secret}) as answer:
        content = await (answer.content.readany() if ask.leaves else answer.read())
        headers, note = answer.headers, told(content)
        charge = headers.get("x-tokenworth-charge", note.get("charge"))
        hold = parse_amount(headers.get("x-tokenworth-hold", "0"))
        wrong = code(content) if answer.status != 200 or ask.stream else ""
        return Got(ask, answer.status, headers.get("x-tokenworth-event", ""), hold, None if charge is None else parse_amount(charge), wrong)


async def load_up(url: str, secret: str) -> list[Got]:
    limit = asyncio.Semaphore(16)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=60)) as http:

        async def one(ask: Ask) -> Got:
            async with limit:
                return await send(http, url, secret, ask)

        return await asyncio.gather(*map(one, asks()))


@dataclass(frozen=True)
class Load:
    """The load and what is kept of it."""

    shop: Shop
    got: list[Got]
    events: dict[str, UsageEvent]
    metrics: Mapping[tuple[str, ...], float]


@pytest.fixture(scope="module")
def load_(tmp_path_factory: pytest.TempPathFactory, supplier: Upstream) -> Iterator[Load]:
    vendors = Vendors()
    with running(vendors.handle) as vendors.port, served(tmp_path_factory.mktemp("mixed"), book(vendors, supplier)) as at:
        got = asyncio.run(load_up(f"http://127.0.0.1:{at.port}", at.secret))
        until(lambda: len(at.events()) == sum(bool(each.event) for each in got))
        with closing(open_registry(at.database)) as registry:
            key = registry.add_machine_key("metrics", "test")[1]
        yield Load(at, got, {event.id: event for event in at.events()}, asyncio.run(scrape(at.port, key)))


async def scrape(port: int, key: str) -> dict[tuple[str, ...], float]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics", headers={"authorization": f"Bearer {key}"}) as answer:
        families = list(text_string_to_metric_families(await answer.text()))
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def test_every_client_is_told_what_the_ledger_charged_and_no_charge_is_above_its_hold(load_: Load) -> None:
    for each in load_.got:
        if not each.event:
            assert each.status == 400, each
            continue
        event = load_.events[each.event]
        assert (event.api, event.product, event.tier) == (each.ask.api, each.ask.product, each.ask.tier or "default")
        assert event.charge <= each.hold, each
        assert event.waived == 0
        if not each.ask.leaves:
            assert each.charge == (event.charge if each.status == 200 else None), each
    refused = Counter((each.ask.api, each.ask.product, each.code) for each in load_.got if not each.event)
    assert not refused, refused


def test_the_balance_is_what_was_granted_less_the_charges_and_the_ledger_verifies(load_: Load) -> None:
    with Reader(load_.shop.database) as reader:
        (account,) = reader.accounts()
        statement = summarise(reader.read())
    charged = sum(event.charge for event in load_.events.values())
    assert account.available(now()) == GRANTED - charged
    assert statement.total.charge == charged
    assert statement.total.requests == len(load_.events)
    assert tokenworth("ledger", "verify", "--db", str(load_.shop.database)).returncode == 0


def test_every_kind_of_ending_was_there(load_: Load) -> None:
    seen = {(event.product, event.status, event.alarm) for event in load_.events.values()}
    assert {
        ("sim", Status.OK, ""),
        ("nousage", Status.ESTIMATED, "no_usage"),
        ("dies", Status.ESTIMATED, "supplier_gone"),
        ("free", Status.ESTIMATED, "supplier_gone"),
        ("dies", Status.FAILED, "supplier_broke_off"),
    } <= seen
    assert {event.charge for event in load_.events.values() if event.product == "free"} == {0}
    assert any(event.attempts for event in load_.events.values())
    # where the least price holds at every tier, no other is less
    broken = [event for event in load_.events.values() if event.promise == "broken" and event.charge and event.product != "sim"]
    assert {event.charged_tier for event in broken} == {"default"}


def test_the_metrics_count_each_event_once(load_: Load) -> None:
    events = Counter((each.product, each.tier, each.api, str(each.status)) for each in load_.events.values())
    charged, cost, wasted, tokens = Counter[Any](), Counter[Any](), Counter[Any](), Counter[Any]()
    for each in load_.events.values():
        key = (each.product, each.tier)
        charged[(*key, each.unit)] += each.charge
        cost[(*key, each.currency)] += each.cost
        wasted[(*key, each.currency)] += each.wasted
        tokens.update({(*key, name): count for name, count in each.counts.items()})
    assert counted(load_, "tokenworth_events_total") == dict(events)
    assert counted(load_, "tokenworth_tokens_total") == dict(+tokens)
    for name, sums in (("charged", charged), ("cost", cost), ("wasted", wasted)):
        assert counted(load_, f"tokenworth_{name}_total") == {key: float(format_amount(amount)) for key, amount in sums.items() if amount}, name
    alarms = Counter((each.alarm,) for each in load_.events.values() if each.alarm)
    assert counted(load_, "tokenworth_alarms_total") == dict(alarms)
    answered = Counter((each.ask.api, str(each.status)) for each in load_.got if each.event)
    requests = Counter[Any]()
    for (api, _, _, status), count in counted(load_, "tokenworth_requests_total").items():
        requests[api, status] += int(count)
    assert dict(requests) == dict(answered)
    assert (load_.metrics["tokenworth_open_holds",], load_.metrics["tokenworth_open_requests",]) == (0, 0)


def counted(load_: Load, metric: str) -> dict[tuple[str, ...], float]:
    return {labels: value for (name, *labels_), value in load_.metrics.items() if name == metric and value and (labels := tuple(labels_))}


def test_the_promises_are_those_of_the_events(load_: Load) -> None:
    shown = json.loads(tokenworth("ledger", "promises", "--db", str(load_.shop.database), "--json").stdout)
    for tier in shown:
        mine = [event for event in load_.events.values() if event.tier == tier["tier"]]
        answered = [event for event in mine if event.status in (Status.OK, Status.ESTIMATED)]
        assert (tier["requests"], tier["answered"], tier["streams"]) == (len(mine), len(answered), sum(event.streamed for event in answered))
        assert tier["charged_lower"] == sum(event.charged_tier not in ("", event.tier) for event in answered)
    assert {tier["tier"] for tier in shown} == set(TIERS)


def test_the_exported_events_rate_again_to_what_was_charged(load_: Load, tmp_path: Path) -> None:
    made = load(load_.shop.folder)
    with Reader(load_.shop.database) as reader:
        write_parquet(reader.read(), tmp_path / "events.parquet")
    groups = rerate(tmp_path / "events.parquet", {"payg": made.cards["standard"]})
    assert [group for group in groups if group.unequal] == []
    assert sum(group.rated for group in groups) == sum(event.charge for event in load_.events.values())


def test_the_exported_files_say_the_same(load_: Load, tmp_path: Path) -> None:
    for form in ("csv", "jsonl"):
        out = tmp_path / f"events.{form}"
        assert tokenworth("export", "events", "--db", str(load_.shop.database), "--format", form, "--out", str(out)).returncode == 0
        text = out.read_text().splitlines()
        rows: list[dict[str, Any]] = list(csv.DictReader(text)) if form == "csv" else [json.loads(line) for line in text]
        assert {row["id"]: (int(row["charge"]), int(row["cost"]), row["charged_tier"], int(row["wasted"])) for row in rows} == {
            id_: (event.charge, event.cost, event.charged_tier, event.wasted) for id_, event in load_.events.items()
        }
