"""Replay real request traces over HTTP against a gateway, in accelerated time, as many customers at once."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from tokenworth.book.model import Book
from tokenworth.core.instants import SECOND
from tokenworth.feeds.traces import load

OUTPUT_LIMIT = 4_096
"""What the replaying clients ask for at most; real clients rarely know how long an answer will be."""
TIER_WEIGHTS = {"default": 7, "flex": 2, "priority": 1}
COMMENT = b": tokenworth "


@dataclass(frozen=True, slots=True)
class Job:
    """One request of a trace: when (microseconds from the start), who, what."""

    offset: int
    customer: str
    product: str
    tier: str
    row: int
    words: int
    stream: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the client saw: HTTP status (0: no answer), and the event and charge (decimal text) that the gateway named."""

    status: int
    event: str = ""
    charge: str = ""


def plan_jobs(book: Book, requests: int, seed: int) -> list[Job]:
    """Merge the traces behind the book's products in order of time and split the first `requests` over the book's customers.

    Customers draw by their share, tiers by TIER_WEIGHTS among those that the customer's card sells; every third request streams.
    """
    dice = random.Random(seed)  # noqa: S311 - a reproducible split, not a secret
    rows = sorted(
        (row.offset_us, product.id, index, row.input)
        for product in book.products.values()
        if (trace := book.models[product.model].trace)
        for index, row in enumerate(load(trace))
    )
    customers = list(book.customers.values())
    drawn = dice.choices(customers, weights=[c.share for c in customers], k=requests)
    jobs = []
    for number, ((offset, product, index, words), customer) in enumerate(zip(rows, drawn, strict=False)):
        sold = [tier for name, tier in book.cards[book.plans[customer.plan].card].cells if name == product]
        tier = dice.choices(sold, weights=[TIER_WEIGHTS.get(t, 1) for t in sold])[0]
        jobs.append(Job(offset, customer.id, product, tier, index, words, number % 3 == 0))
    return jobs


async def replay(url: str, secrets: Mapping[str, str], jobs: Sequence[Job], *, seconds: float, done: Callable[[Outcome], None]) -> None:
    """Send jobs at their offsets, squeezed into `seconds`, each with its customer's key; report every outcome."""
    span = max(jobs[-1].offset - jobs[0].offset, SECOND) / SECOND
    start = time.monotonic()
    connector = aiohttp.TCPConnector(limit=512)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as http, asyncio.TaskGroup() as group:
        for job in jobs:
            due = (job.offset - jobs[0].offset) / SECOND * (seconds / span)
            ahead = due - (time.monotonic() - start)
            if ahead > 0:
                await asyncio.sleep(ahead)
            sending = _send(http, f"{url}/v1/chat/completions", job, secrets[job.customer])
            group.create_task(sending).add_done_callback(lambda task: done(task.result()))


async def _send(http: aiohttp.ClientSession, url: str, job: Job, secret: str) -> Outcome:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    try:
        async with http.post(url, data=_body(job), headers=headers) as answer:
            content = await answer.read()
            return _outcome(answer.status, answer.headers, content, stream=job.stream)
    except (aiohttp.ClientError, TimeoutError):
        return Outcome(0)


def _body(job: Job) -> bytes:
    return json.dumps(
        {
            "model": job.product,
            "messages": [{"role": "user", "content": "a " * job.words}],
            "max_completion_tokens": OUTPUT_LIMIT,
            "service_tier": job.tier,
            "seed": job.row,
            "stream": job.stream,
        }
    ).encode()


def _outcome(status: int, headers: Mapping[str, str], content: bytes, *, stream: bool) -> Outcome:
    event, charge = headers.get("x-tokenworth-event", ""), headers.get("x-tokenworth-charge", "")
    if stream and status == 200:
        found = content.rfind(COMMENT)
        if found < 0:
            return Outcome(0, event)
        charge = str(json.loads(content[found + len(COMMENT) :].split(b"\n", 1)[0])["charge"])
    return Outcome(status, event, charge)
