"""Many requests at once, by a plain HTTP client."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tokenworth.core.money import parse_amount


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client saw: the status (0: no whole answer), and of whole answers the event and the charge in nano-units."""

    status: int
    event: str = ""
    charge: int = 0


async def send(http: aiohttp.ClientSession, url: str, secret: str, body: dict[str, Any]) -> Seen:
    """Send one request and read its whole answer."""
    try:
        async with http.post(f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {secret}"}) as answer:
            content = await answer.read()
            if answer.status != 200:
                return Seen(answer.status)
            if not body.get("stream"):
                return Seen(200, answer.headers["x-tokenworth-event"], parse_amount(answer.headers["x-tokenworth-charge"]))
    except (aiohttp.ClientError, TimeoutError):
        return Seen(0)
    if not content.endswith(b"data: [DONE]\n\n"):
        return Seen(0)
    note = json.loads(content[content.rindex(b": tokenworth ") + 13 :].split(b"\n")[0])
    return Seen(200, note["event"], parse_amount(note["charge"]))


async def send_all(url: str, secret: str, bodies: Sequence[dict[str, Any]], *, at_once: int) -> list[Seen]:
    """Send many, so many at once."""
    limit = asyncio.Semaphore(at_once)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as http:

        async def one(body: dict[str, Any]) -> Seen:
            async with limit:
                return await send(http, url, secret, body)

        return await asyncio.gather(*map(one, bodies))


def statuses(seen: Sequence[Seen]) -> Counter[int]:
    """Count answers by status."""
    return Counter(one.status for one in seen)
