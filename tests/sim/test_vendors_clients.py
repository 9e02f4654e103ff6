"""The vendors' own clients against a served gateway, in front of suppliers on each vendor's wire format."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.support.gateway import Running, running_gateway
from tests.support.shop import upstream
from tests.support.upstream import running
from tests.support.vendors import SCENES, Vendors
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.money import NANO

HELLO: Any = [{"role": "user", "content": "What is the weather in San Francisco?"}]
SUPPLIERS = ("chat", "messages", "responses")
RATES = {"input": "1", "cache_read": "0.1", "cache_write": "2", "cache_write_1h": "3", "output": "4"}
CHAT_NANO = 300 * 1000 + 100 * 100 + 65 * 4000
MESSAGE_NANO = CHAT_NANO + 30 * 2000 + 20 * 3000
"""Of the suppliers' usage, by hand: Anthropic's counts its cache beside the input, and writes of two lifetimes."""
WEATHER: dict[str, Any] = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": WEATHER}}]
MESSAGE_TOOLS: Any = [{"name": "get_weather", "description": "Weather", "input_schema": WEATHER}]
RESPONSE_TOOLS: Any = [{"type": "function", "name": "get_weather", "description": "Weather", "parameters": WEATHER, "strict": False}]
OPEN: list[Any] = []


@pytest.fixture(autouse=True)
def closing_clients() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture(scope="module")
def vendors() -> Iterator[Vendors]:
    made = Vendors()
    with running(made.handle) as made.port:
        yield made


@pytest.fixture(scope="module")
def shop(vendors: Vendors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway with a product for each scene and supplier's format, such as `text-messages`."""
    scenes = (*SCENES, "refuses", "breaks")
    suppliers = {f"{scene}-{api}": upstream(vendors.url(scene), speaks=api) for scene in scenes for api in SUPPLIERS}
    suppliers["embed"] = upstream(vendors.url("text"))
    with running_gateway(tmp_path_factory.mktemp("vendors") / "ledger.db", suppliers, rates=dict.fromkeys(suppliers, RATES)) as made:
        yield made


def openais(shop: Running, name: str) -> openai.OpenAI:
    made = openai.OpenAI(base_url=f"{shop.url}/v1", api_key=shop.customer(name, NANO), max_retries=0, timeout=20)
    OPEN.append(made)
    return made


def anthropics(shop: Running, name: str) -> anthropic.Anthropic:
    made = anthropic.Anthropic(base_url=shop.url, api_key=shop.customer(name, NANO), max_retries=0, timeout=20)
    OPEN.append(made)
    return made


def charged(shop: Running, name: str, supplier: str, client: str) -> UsageEvent:
    """Return the one event, which is metered and charged from what the supplier said, in its own dialect."""
    (event,) = shop.events(name)
    assert (event.status, event.alarm, event.api) == (Status.OK, "", client)
    assert event.charge == (MESSAGE_NANO if supplier == "messages" else CHAT_NANO)
    return event


Seen = tuple[str, list[tuple[str, str, Any]], str, tuple[int, int, int]]
"""Text; calls by id, name and arguments; why it ended; tokens in, of those read from a cache, and out."""


def by_chat(shop: Running, name: str, product: str, *, stream: bool, **more: Any) -> Seen:
    made = openais(shop, name)
    asked = {"model": product, "messages": HELLO, "max_completion_tokens": 100, **more}
    if stream:
        answer = streamed(made, asked)
    else:
        answer = made.chat.completions.create(**asked)
    assert answer.model == product
    choice = answer.choices[0]
    calls = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or []]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    used = (answer.usage.prompt_tokens, answer.usage.prompt_tokens_details.cached_tokens or 0, answer.usage.completion_tokens)
    return choice.message.content or "", calls, choice.finish_reason, used


def streamed(made: openai.OpenAI, asked: dict[str, Any]) -> Any:
    with made.chat.completions.stream(**asked, stream_options={"include_usage": True}) as events:
        try:
            return events.get_final_completion()
        except openai.LengthFinishReasonError as cut:
            return cut.completion


def by_messages(shop: Running, name: str, product: str, *, stream: bool, **more: Any) -> Seen:
    made = anthropics(shop, name)
    asked = {"model": product, "messages": HELLO, "max_tokens": 100, **more}
    if stream:
        with made.messages.stream(**asked) as events:
            answer: Any = events.get_final_message()
    else:
        answer = made.messages.create(**asked)
    assert answer.model == product
    calls = [(b.id, b.name, b.input) for b in answer.content if b.type == "tool_use"]
    text = "".join(b.text for b in answer.content if b.type == "text")
    read, written = answer.usage.cache_read_input_tokens or 0, answer.usage.cache_creation_input_tokens or 0
    return text, calls, answer.stop_reason, (answer.usage.input_tokens + read + written, read, answer.usage.output_tokens)


def by_responses(shop: Running, name: str, product: str, *, stream: bool, **more: Any) -> Seen:
    made = openais(shop, name)
    asked = {"model": product, "input": HELLO, "max_output_tokens": 100, **more}
    if stream:
        with made.responses.stream(**asked) as events:
            # the helper for the last one knows complete responses only
            answer: Any = [event for event in events if event.type in ("response.completed", "response.incomplete")][-1].response
    else:
        answer = made.responses.create(**asked)
    assert answer.model == product
    calls = [(i.call_id, i.name, json.loads(i.arguments)) for i in answer.output if i.type == "function_call"]
    ended = answer.incomplete_details.reason if answer.status == "incomplete" else answer.status
    used = (answer.usage.input_tokens, answer.usage.input_tokens_details.cached_tokens, answer.usage.output_tokens)
    return answer.output_text, calls, ended, used


CLIENTS: dict[str, Any] = {"chat": by_chat, "messages": by_messages, "responses": by_responses}
ENDS = {
    "chat": {"text": "stop", "limit": "length", "calls": "tool_calls", "bare": "tool_calls", "thinking": "stop", "json": "stop"},
    "messages": {"text": "end_turn", "limit": "max_tokens", "calls": "tool_use", "bare": "tool_use", "thinking": "end_turn", "json": "end_turn"},
    "responses": {name: "max_output_tokens" if name == "limit" else "completed" for name in SCENES},
}
SAID = {
    "text": ("Hello! How can I help?", []),
    "limit": ("Once upon", []),
    "calls": (
        "Okay, let's check the weather:",
        [("toolu_01T1x1fJ34qAmk2tNTrN7Up6", "get_weather", {"location": "San Francisco, CA"}), ("toolu_02", "get_time", {"zone": "PST"})],
    ),
    "bare": ("", [("toolu_03", "list_files", {})]),
    "thinking": ("27 * 453 = 12,231", []),
    "json": ('{"city": "Paris", "celsius": 21}', []),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("supplier", SUPPLIERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_reads_each_suppliers_answer(shop: Running, client: str, supplier: str, scene: str, stream: bool) -> None:
    name = f"{client}-{supplier}-{scene}-{stream}"
    seen = CLIENTS[client](shop, name, f"{scene}-{supplier}", stream=stream)
    used = (450, 100, 65) if supplier == "messages" else (400, 100, 65)
    assert seen == (*SAID[scene], ENDS[client][scene], used)
    charged(shop, name, supplier, client)
