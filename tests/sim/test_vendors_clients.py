"""The vendors' own clients against a served gateway, in front of suppliers on each vendor's wire format."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pydantic
import pytest

from tests.support.gateway import Running, running_gateway
from tests.support.shop import upstream
from tests.support.upstream import running
from tests.support.vendors import ENCRYPTED, REDACTED, SCENES, SIGNATURE, Vendors
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
    answer = streamed(made, asked) if stream else made.chat.completions.create(**asked)
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


class Reading(pydantic.BaseModel):
    """A structured answer."""

    city: str
    celsius: int


@pytest.mark.parametrize("supplier", SUPPLIERS)
def test_structured_outputs_are_parsed_by_each_client(shop: Running, vendors: Vendors, supplier: str) -> None:
    product, reading = f"json-{supplier}", Reading(city="Paris", celsius=21)
    client, other = openais(shop, f"parse-{supplier}"), anthropics(shop, f"parsed-{supplier}")
    chat = client.chat.completions.parse(model=product, messages=HELLO, response_format=Reading)
    assert chat.choices[0].message.parsed == reading
    response = client.responses.parse(model=product, input=HELLO, text_format=Reading)
    assert response.output_parsed == reading
    message = other.messages.parse(model=product, max_tokens=100, messages=HELLO, output_format=Reading)
    assert message.parsed_output == reading
    for path, _, body in vendors.seen[-3:]:
        shape = {
            "chat/completions": lambda b: b["response_format"]["json_schema"]["schema"],
            "messages": lambda b: b["output_config"]["format"]["schema"],
            "responses": lambda b: b["text"]["format"]["schema"],
        }[path](body)
        assert set(shape["properties"]) == {"city", "celsius"}


@pytest.mark.parametrize("supplier", SUPPLIERS)
def test_a_tools_result_reaches_each_supplier(shop: Running, vendors: Vendors, supplier: str) -> None:
    """A conversation with a call and its result, in each client's words, is the same in the supplier's."""
    product, call = f"text-{supplier}", {"id": "call_1", "name": "get_weather", "arguments": '{"location":"Paris"}'}
    client, other = openais(shop, f"result-{supplier}"), anthropics(shop, f"resulted-{supplier}")
    function = {"name": call["name"], "arguments": call["arguments"]}
    chat: Any = [
        {"role": "system", "content": "Be brief."},
        *HELLO,
        {"role": "assistant", "content": "Let me see.", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"},
    ]
    client.chat.completions.create(model=product, messages=chat, tools=CHAT_TOOLS, tool_choice="required", parallel_tool_calls=False)
    used = {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"location": "Paris"}}
    messages: Any = [
        *HELLO,
        {"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, used]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "21 degrees"}]},
    ]
    choice: Any = {"type": "any", "disable_parallel_tool_use": True}
    other.messages.create(model=product, max_tokens=1000, system="Be brief.", messages=messages, tools=MESSAGE_TOOLS, tool_choice=choice)
    items: Any = [
        *HELLO,
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": call["arguments"]},
        {"type": "function_call_output", "call_id": "call_1", "output": "21 degrees"},
    ]
    asked: Any = {"tools": RESPONSE_TOOLS, "tool_choice": "required", "parallel_tool_calls": False}
    client.responses.create(model=product, instructions="Be brief.", input=items, **asked)
    translated = [body for path, _, body in vendors.seen[-3:] if not body.get("instructions") and not isinstance(body.get("system"), str)]
    same = [body for body in translated if supplier != "chat" or len(body["messages"][0]["content"]) == len("Be brief.")]
    assert len(same) >= 2
    first, *rest = [spoken(supplier, body) for body in same]
    assert all(one == first for one in rest)


def spoken(api: str, body: dict[str, Any]) -> Any:
    """Return what a request says, whatever short forms it uses."""
    if api == "chat":
        return [(m["role"], m.get("content"), m.get("tool_calls"), m.get("tool_call_id")) for m in body["messages"]], body["tool_choice"]
    if api == "messages":
        return body["system"], body["messages"], body["tool_choice"], [tool["name"] for tool in body["tools"]]
    return [item for item in body["input"] if item.get("role") != "system"], body["tool_choice"], body["parallel_tool_calls"]


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_and_its_proof_go_to_a_chat_client_and_back(shop: Running, vendors: Vendors, stream: bool) -> None:
    made, name = openais(shop, f"proof-{stream}"), "thinking-messages"
    asked: Any = {"model": name, "messages": HELLO, "reasoning_effort": "high"}
    if stream:
        with made.chat.completions.stream(**asked) as events:
            deltas = [e.chunk.choices[0].delta.model_extra or {} for e in events if e.type == "chunk" and e.chunk.choices]
        details = [detail for delta in deltas for detail in delta.get("reasoning_details", [])]
        shown = "".join(delta.get("reasoning_content", "") for delta in deltas)
    else:
        said = made.chat.completions.create(**asked).choices[0].message.model_extra or {}
        details, shown = said["reasoning_details"], said["reasoning_content"]
    assert vendors.seen[-1][2]["thinking"] == {"type": "adaptive"}
    assert vendors.seen[-1][2]["output_config"] == {"effort": "high"}
    assert shown == "Let me solve this:\n1. 27 * 400 = 10,800"
    back: Any = [*HELLO, {"role": "assistant", "content": "27 * 453 = 12,231", "reasoning_details": details}, *HELLO]
    made.chat.completions.create(model=name, messages=back)
    assert vendors.seen[-1][2]["messages"][1]["content"] == [
        {"type": "thinking", "thinking": shown, "signature": SIGNATURE},
        {"type": "redacted_thinking", "data": REDACTED},
        {"type": "text", "text": "27 * 453 = 12,231"},
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_and_its_proof_go_to_a_responses_client_and_back(shop: Running, vendors: Vendors, stream: bool) -> None:
    made, name = openais(shop, f"items-{stream}"), "thinking-messages"
    if stream:
        with made.responses.stream(model=name, input=HELLO) as events:
            answer: Any = events.get_final_response()
    else:
        answer = made.responses.create(model=name, input=HELLO)
    items: Any = [item.model_dump(exclude_none=True) for item in answer.output]
    assert [item["type"] for item in items] == ["reasoning", "reasoning", "message"]
    made.responses.create(model=name, input=[*HELLO, *items, *HELLO])
    assert vendors.seen[-1][2]["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Let me solve this:\n1. 27 * 400 = 10,800", "signature": SIGNATURE},
        {"type": "redacted_thinking", "data": REDACTED},
        {"type": "text", "text": "27 * 453 = 12,231"},
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_encrypted_reasoning_goes_to_a_messages_client_and_back(shop: Running, vendors: Vendors, stream: bool) -> None:
    made = anthropics(shop, f"encrypted-{stream}")
    asked: Any = {"model": "thinking-responses", "max_tokens": 100, "messages": HELLO, "thinking": {"type": "adaptive"}}
    if stream:
        with made.messages.stream(**asked) as events:
            answer: Any = events.get_final_message()
    else:
        answer = made.messages.create(**asked)
    assert vendors.seen[-1][2]["include"] == ["reasoning.encrypted_content"]
    assert [block.type for block in answer.content] == ["thinking", "redacted_thinking", "text"]
    made.messages.create(**asked | {"messages": [*HELLO, answer.to_param(), *HELLO]})
    assert vendors.seen[-1][2]["input"][1:3] == [
        {
            "type": "reasoning",
            "id": "rs_6820f3830",
            "summary": [{"type": "summary_text", "text": "Let me solve this:\n1. 27 * 400 = 10,800"}],
            "encrypted_content": ENCRYPTED,
        },
        {"type": "reasoning", "id": "rs_6820f3831", "summary": [], "encrypted_content": ENCRYPTED},
    ]


def test_an_unsigned_thought_of_a_chat_supplier_goes_back_to_it(shop: Running, vendors: Vendors) -> None:
    made = anthropics(shop, "unsigned")
    answer = made.messages.create(model="thinking-chat", max_tokens=100, messages=HELLO)
    asked: Any = [*HELLO, answer.to_param(), *HELLO]
    made.messages.create(model="thinking-chat", max_tokens=100, messages=asked)
    thought = "Let me solve this:\n1. 27 * 400 = 10,800"
    assert vendors.seen[-1][2]["messages"][1] == {"role": "assistant", "content": "27 * 453 = 12,231", "reasoning_content": thought}


def test_anthropics_supplier_gets_its_own_headers_and_nothing_of_the_customers_key(shop: Running, vendors: Vendors) -> None:
    # the second would let a prompt be longer and dearer than was held for
    betas = {"anthropic-beta": "interleaved-thinking-2025-05-14, context-1m-2025-08-07"}
    anthropics(shop, "headers").messages.create(model="text-messages", max_tokens=10, messages=HELLO, extra_headers=betas)
    path, headers, body = vendors.seen[-1]
    assert (path, headers["anthropic-version"], headers["anthropic-beta"]) == ("messages", "2023-06-01", "interleaved-thinking-2025-05-14")
    assert "tw_" not in json.dumps([headers, body])
    assert body == {"model": "text-messages-upstream", "max_tokens": 10, "messages": HELLO}


@pytest.mark.parametrize("supplier", SUPPLIERS)
def test_a_suppliers_refusal_has_the_shape_of_the_clients_format(shop: Running, supplier: str) -> None:
    product = f"refuses-{supplier}"
    with pytest.raises(anthropic.BadRequestError) as one:
        anthropics(shop, f"refused-{supplier}").messages.create(model=product, max_tokens=10, messages=HELLO)
    error: Any = one.value.body
    # between OpenAI's own formats there is nothing to translate
    assert (error.get("type") == "error") is True
    assert (error["error"]["type"], error["error"]["message"]) == ("invalid_request_error", "max_tokens: too many")
    made = openais(shop, f"denied-{supplier}")
    calls: Any = [
        lambda: made.chat.completions.create(model=product, messages=HELLO),
        lambda: made.responses.create(model=product, input="hi"),
    ]
    for call in calls:
        with pytest.raises(openai.BadRequestError, match="max_tokens: too many") as other:
            call()
        assert other.value.type == "invalid_request_error"


def test_an_error_in_mid_stream_is_an_error_to_each_client(shop: Running) -> None:
    product, made = "breaks-messages", openais(shop, "broken")
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(made.chat.completions.create(model=product, messages=HELLO, stream=True))
    # here an error is an event like others
    last: Any = list(made.responses.create(model=product, input="hi", stream=True))[-1]
    assert (last.type, last.message, last.code) == ("error", "Overloaded", "overloaded_error")
    with (
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
        anthropics(shop, "snapped").messages.stream(model=product, max_tokens=10, messages=HELLO) as events,
    ):
        events.get_final_message()
    (event,) = shop.events("snapped")
    assert (event.status, event.alarm) == (Status.ESTIMATED, "supplier_gone")
    # of the prompt the supplier had said it before it broke off; "Hello!" is 6 bytes
    assert event.counts == {"input": 300, "cache_read": 100, "cache_write_5m": 30, "cache_write_1h": 20, "output": 2}


@pytest.mark.parametrize(("given", "counted"), [("The food was delicious", 1), (["one", "two"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2)])
def test_embeddings(shop: Running, given: Any, counted: int) -> None:
    name = f"embed-{len(json.dumps(given))}"
    answer = openais(shop, name).embeddings.create(model="embed", input=given, encoding_format="float")
    assert (len(answer.data), answer.model, answer.usage.prompt_tokens) == (counted, "embed", 8)
    assert answer.data[0].embedding == pytest.approx([0.0023064255, -0.009327292])
    (event,) = shop.events(name)
    assert (event.status, event.api, event.counts, event.charge) == (Status.OK, "embeddings", {"input": 8}, 8000)


def test_embeddings_of_a_supplier_that_has_none_are_refused(shop: Running) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        openais(shop, "unembedded").embeddings.create(model="text-messages", input="hi")
    assert (caught.value.code, caught.value.param) == ("unsupported_format", "model")
    assert not shop.events("unembedded")


@pytest.mark.parametrize(("product", "tokens", "by"), [("text-messages", 14, "supplier"), ("text-chat", 10, "estimate")])
def test_tokens_are_counted_by_the_supplier_or_guessed_and_it_says_so(shop: Running, product: str, tokens: int, by: str) -> None:
    made = anthropics(shop, f"count-{by}")
    raw = made.messages.with_raw_response.count_tokens(model=product, messages=HELLO)
    # "What is the weather in San Francisco?" is 37 bytes
    assert (raw.parse().input_tokens, raw.headers["x-tokenworth-counted-by"]) == (tokens, by)
    assert not shop.events(f"count-{by}")
    with pytest.raises(anthropic.NotFoundError):
        made.messages.count_tokens(model="absent", messages=HELLO)


def test_models_are_listed_in_each_vendors_shape(shop: Running) -> None:
    made = anthropics(shop, "lister")
    names = {model.id for model in made.models.list()}
    assert names == {model.id for model in openais(shop, "listing").models.list()}
    assert made.models.retrieve("text-chat").display_name == "text-chat"
    with pytest.raises(anthropic.NotFoundError):
        made.models.retrieve("absent")


@pytest.mark.parametrize("stream", [False, True])
def test_messages_of_the_same_format_pass_with_what_is_not_known(shop: Running, vendors: Vendors, stream: bool) -> None:
    made, more = anthropics(shop, f"passing-{stream}"), {"x_vendor": {"deep": [1, None, "é"]}, "top_k": 5}
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    raw: Any = made.messages.with_raw_response.create(
        model="thinking-messages", max_tokens=2000, messages=HELLO, thinking=thinking, extra_body=more, stream=stream
    )
    assert vendors.seen[-1][2] == {
        "model": "thinking-messages-upstream",
        "max_tokens": 2000,
        "messages": HELLO,
        "thinking": thinking,
        **more,
        "stream": stream,
    }
    if not stream:
        blocks = raw.parse().content
        assert [block.type for block in blocks] == ["thinking", "redacted_thinking", "text"]
        assert blocks[0].signature == SIGNATURE
