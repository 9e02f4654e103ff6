"""The simulated supplier: OpenAI's wire format, with the trace's counts."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tokenworth.flows.ports import SupplierRequest
from tokenworth.suppliers.simulated.answer import Answer, SimulatedModel
from tokenworth.suppliers.simulated.supplier import SimulatedSupplier
from tokenworth.suppliers.simulated.timing import pace


@dataclass(frozen=True)
class Row:
    input: int
    cached: int
    output: int


ROWS: Sequence[Row] = (Row(100, 3, 7), Row(5, 0, 40), Row(9, 9, 300))
MODEL = SimulatedModel(lambda: ROWS, context=20, max_output=100)


def send(body: dict[str, Any], path: str = "/chat/completions") -> tuple[int, bytes]:
    async def main() -> tuple[int, bytes]:
        supplier = SimulatedSupplier({"m": MODEL}, lambda: 5_000_000, speed=0)
        response = await supplier.send(SupplierRequest(path, body, stream=bool(body.get("stream"))))
        return response.status, b"".join([piece async for piece in response.body])

    return asyncio.run(main())


def body(content: Any = "one two  three\nfour", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "system", "content": content}], **more}


def whole(**more: Any) -> ChatCompletion:
    status, data = send(body(**more))
    assert status == 200
    return ChatCompletion.model_validate_json(data)


@pytest.mark.parametrize(
    ("more", "cached", "output", "finish"),
    [
        ({"seed": 0}, 3, 7, "stop"),
        ({"seed": 4}, 0, 40, "stop"),
        ({"seed": -1}, 4, 100, "length"),
        ({"seed": 0, "max_tokens": 5}, 3, 5, "length"),
        ({"seed": 0, "max_tokens": 9, "max_completion_tokens": 7}, 3, 7, "stop"),
    ],
)
def test_counts_are_the_rows_within_the_limits(more: dict[str, Any], cached: int, output: int, finish: str) -> None:
    answer = whole(**more)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    found = (answer.usage.prompt_tokens, answer.usage.prompt_tokens_details.cached_tokens, answer.usage.completion_tokens)
    assert found == (4, cached, output)
    assert answer.choices[0].finish_reason == finish
    assert len((answer.choices[0].message.content or "").split()) == output
    assert answer.created == 5


def test_each_choice_has_the_output() -> None:
    answer = whole(seed=0, n=3)
    assert answer.usage is not None
    assert [len((choice.message.content or "").split()) for choice in answer.choices] == [7, 7, 7]
    assert answer.usage.completion_tokens == 21


def test_without_a_seed_the_messages_choose() -> None:
    texts = [f"question {number}" for number in range(30)]
    outputs = {text: len((whole(content=text).choices[0].message.content or "").split()) for text in texts}
    assert set(outputs.values()) == {7, 40, 100}
    assert outputs == {text: len((whole(content=text, temperature=1).choices[0].message.content or "").split()) for text in texts}


def test_parts_that_are_not_text_count_nothing() -> None:
    answer = whole(content=[{"type": "text", "text": "a b"}, {"type": "image_url", "image_url": {"url": "u v w"}}], seed=0)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 2


@pytest.mark.parametrize("asked", [True, False])
def test_a_stream_says_the_same_as_the_whole(asked: bool) -> None:
    more: dict[str, Any] = {"stream_options": {"include_usage": True}} if asked else {}
    _, data = send(body(seed=1, stream=True, **more))
    *events, last, rest = data.decode().split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    chunks = [ChatCompletionChunk.model_validate_json(event.removeprefix("data: ")) for event in events]
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    expected = whole(seed=1)
    assert text == expected.choices[0].message.content
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert chunks[-1].usage == (expected.usage if asked else None)
    assert all(("usage" in json.loads(event[6:])) is asked for event in events)


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [(body(content="x " * 21), 400, "context_length_exceeded"), (body() | {"model": "x"}, 404, "model_not_found")],
)
def test_refusals(request_: dict[str, Any], status: int, code: str) -> None:
    found, data = send(request_)
    assert (found, json.loads(data)["error"]["code"]) == (status, code)


def test_the_pace_is_the_measured_line() -> None:
    # measured: 96.3 ms to the first of 1,024 tokens, 582.9 ms of 8,192; 12.11 ms a token
    short = pace(Answer(1_024, 0, 10, 1, cut=False), 1)
    long = pace(Answer(8_192, 0, 10, 1, cut=False), 1)
    assert abs(short.first_us - 96_300) < 1_000
    assert abs(long.first_us - 582_900) < 2_000
    assert short.last_us(10) == short.first_us + 10 * 12_110
    assert pace(Answer(8_192, 8_192, 10, 1, cut=False), 1).first_us == 27_000


def test_speed_divides_the_time() -> None:
    drawn = Answer(1_024, 0, 1_000, 1, cut=False)
    slow, fast = pace(drawn, 1), pace(drawn, 10)
    assert abs(slow.last_us(1_000) - 10 * fast.last_us(1_000)) < 200_000
    assert fast.chunk > slow.chunk == 1
    assert pace(drawn, 0).last_us(1_000) == 0


def test_a_message_may_hold_any_integer() -> None:
    assert whole(messages=[{"role": "user", "content": "hi", "x": 2**70}]).usage is not None


@pytest.mark.parametrize(("given", "vectors", "tokens"), [("one two", 1, 2), (["one two", "three"], 2, 3), ([7, 8, 9], 1, 3), ([[7, 8], [9]], 2, 3)])
def test_embeddings(given: Any, vectors: int, tokens: int) -> None:
    status, data = send({"model": "m", "input": given}, "/embeddings")
    answer = CreateEmbeddingResponse.model_validate_json(data)
    assert (status, len(answer.data), answer.usage.prompt_tokens) == (200, vectors, tokens)
    assert data == send({"model": "m", "input": given}, "/embeddings")[1]
    assert {len(one.embedding) for one in answer.data} == {8}
