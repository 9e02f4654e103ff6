"""The simulated supplier as a port: in process, no network."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.core.ids import digest
from tokenworth.core.instants import SECOND
from tokenworth.flows.ports import SupplierRequest, SupplierResponse
from tokenworth.suppliers.body import encode
from tokenworth.suppliers.simulated.answer import Answer, SimulatedModel, answer
from tokenworth.suppliers.simulated.embed import embeddings
from tokenworth.suppliers.simulated.timing import Pace, pace
from tokenworth.suppliers.simulated.wire import DONE, Head, chunks, completion, error

JSON = {"content-type": "application/json"}
EMBEDDINGS = "/embeddings"
PATHS = ("/chat/completions", EMBEDDINGS)
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class SimulatedSupplier:
    """Answers for `models` by name, `speed` times as fast as measured (0: at once). `clock` gives the instant in microseconds."""

    models: Mapping[str, SimulatedModel]
    clock: Callable[[], int]
    speed: int = 1

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        """Answer a chat completion or embeddings; what a real server would refuse gets an error of OpenAI's shape."""
        body = request.body
        model = self.models.get(str(body.get("model")))
        if request.path not in PATHS:
            return _at_once(404, error(f"unknown path {request.path}", "unknown_url"))
        if model is None:
            return _at_once(404, error(f"the model {body.get('model')!r} does not exist", "model_not_found", "model"))
        if request.path == EMBEDDINGS:
            return _at_once(200, embeddings(body, str(body["model"])))
        drawn = answer(body, model)
        if drawn.input > model.context:
            why = f"{drawn.input} tokens exceed the context of {model.context}"
            return _at_once(400, error(why, "context_length_exceeded", "messages"))
        head = Head(f"chatcmpl-{digest(encode(body))[:29]}", self.clock() // SECOND, str(body["model"]))
        rhythm = pace(drawn, self.speed)
        if request.stream:
            return SupplierResponse(200, EVENTS, _stream(head, drawn, rhythm, include_usage=_wants_usage(body)))
        return SupplierResponse(200, JSON, _whole(head, drawn, rhythm))

    async def close(self) -> None:
        """Nothing to give back."""


async def _whole(head: Head, drawn: Answer, rhythm: Pace) -> AsyncGenerator[bytes, None]:
    await _sleep(rhythm.last_us(drawn.output))
    yield completion(head, drawn)


async def _stream(head: Head, drawn: Answer, rhythm: Pace, *, include_usage: bool) -> AsyncGenerator[bytes, None]:
    await _sleep(rhythm.first_us)
    for at, event in enumerate(chunks(head, drawn, size=rhythm.chunk, include_usage=include_usage)):
        if at > 1:
            await _sleep(rhythm.gap_us)
        yield event
    yield DONE


def _wants_usage(body: Mapping[str, Any]) -> bool:
    return bool((body.get("stream_options") or {}).get("include_usage"))


def _at_once(status: int, content: bytes) -> SupplierResponse:
    async def body() -> AsyncGenerator[bytes, None]:
        yield content

    return SupplierResponse(status, JSON, body())


async def _sleep(microseconds: int) -> None:
    """Sleep; nothing at all where there is nothing to wait for, so that an instant answer is one step of the loop."""
    if microseconds:
        await asyncio.sleep(microseconds / 1e6)
