"""What it costs to be seen from outside: the same requests through the bare gateway and through the watched one, in turns, in one process.

No HTTP server is in between, so what is measured is what the gateway itself does for a request: with a ledger on disk and the simulated supplier.
"""

import asyncio
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson

from tests.support.gateway import add_customer
from tests.support.shop import book, simulated
from tokenworth.core.money import NANO
from tokenworth.flows.serve.order import Shop
from tokenworth.gateway.app import Gateway
from tokenworth.gateway.asgi import App
from tokenworth.gateway.outside import Outside, application
from tokenworth.wiring.serving import open_backend, serving

REQUESTS, TURNS = 200, 30
AT_ONCE = 16


async def call(app: App, body: bytes, secret: str) -> None:
    """Send one request and take its whole answer."""
    headers = [(b"authorization", f"Bearer {secret}".encode()), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers, "query_string": b""}
    sent = False
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def receive() -> Any:
        nonlocal sent
        if sent:
            return await never
        sent = True
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200, message

    await app(scope, receive, send)


async def turn(app: App, body: bytes, secret: str) -> float:
    """Return microseconds of this process a request: others on the machine do not count."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with limit:
            await call(app, body, secret)

    begun = time.process_time()
    await asyncio.gather(*(asyncio.create_task(one()) for _ in range(REQUESTS)))
    return (time.process_time() - begun) / REQUESTS * 1e6


async def main() -> None:
    made = book({"sim": simulated()})
    shop = Shop(made, made.costs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        secret = add_customer(path, "ada", 10**6 * NANO)
        async with AsyncExitStack() as stack:
            backend = await stack.enter_async_context(open_backend(made, path, {}))
            bare = Gateway(await stack.enter_async_context(serving(shop, backend)))
            watched = await stack.enter_async_context(application(shop, backend, Outside()))
            for name, stream in (("whole answers", False), ("streams", True)):
                ask = {"model": "sim", "messages": [{"role": "user", "content": "go"}], "max_tokens": 50, "stream": stream}
                times: dict[str, list[float]] = {"bare": [], "watched": []}
                for _ in range(TURNS):
                    times["bare"].append(await turn(bare, orjson.dumps(ask), secret))
                    times["watched"].append(await turn(watched, orjson.dumps(ask), secret))
                plain, seen = (statistics.median(times[each]) for each in ("bare", "watched"))
                pairs = statistics.median(b / a for a, b in zip(times["bare"], times["watched"], strict=True))
                print(f"{name}: bare {plain:.0f} us, watched {seen:.0f} us a request; {pairs:.3f}x at the median of {TURNS} turns")
            scrape = watched.watched._meters  # noqa: SLF001
            begun = time.process_time()
            scrape.snapshot()
            print(f"a snapshot of the metrics: {(time.process_time() - begun) * 1e6:.0f} us")


if __name__ == "__main__":
    asyncio.run(main())
