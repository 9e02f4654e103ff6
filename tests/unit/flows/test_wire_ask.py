"""What is read of a request, and the bounds that its hold is priced at."""

from typing import Any

import orjson
import pytest

from tests.support.shop import model
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.ask import MODALITIES, Ask, bounds
from tokenworth.flows.serve.wire.chat.ask import parse
from tokenworth.flows.serve.wire.unpriceable import UNPRICEABLE
from tokenworth.price.worst import TEXT

MODEL = model("m", "s", context=8_000, max_output=1_000, input_allowance=100)


def ask(content: Any = "hi", **more: Any) -> Ask:
    return parse(orjson.dumps({"model": "m", "messages": [{"role": "user", "content": content}]} | more))


def test_defaults() -> None:
    made = ask()
    assert (made.tier, made.output_limit, made.choices) == ("default", None, 1)
    assert (made.api, made.stream, made.text_only) == ("chat", False, True)


@pytest.mark.parametrize(("given", "tier"), [(None, "default"), ("auto", "default"), ("default", "default"), ("flex", "flex")])
def test_tiers(given: str | None, tier: str) -> None:
    assert ask(service_tier=given).tier == tier


@pytest.mark.parametrize(
    ("more", "output"),
    [
        ({}, 1_000),
        ({"max_tokens": 10}, 10),
        ({"max_completion_tokens": 20}, 20),
        ({"max_tokens": 10, "max_completion_tokens": 20}, 20),
        ({"max_tokens": 30, "max_completion_tokens": None}, 30),
        ({"max_tokens": 5_000}, 1_000),
        ({"max_tokens": 10, "n": 3}, 30),
        ({"n": 4}, 4_000),
    ],
)
def test_output_is_bounded_by_limit_and_choices(more: dict[str, Any], output: int) -> None:
    assert bounds(ask(**more), MODEL).output_tokens == output


def test_input_is_bounded_by_bytes_and_allowance() -> None:
    made = ask("x" * 200)
    assert bounds(made, MODEL).input_tokens == made.size + 100
    assert bounds(made, MODEL).modalities == TEXT
    assert bounds(ask("x" * 9_000), MODEL).input_tokens == 8_000


@pytest.mark.parametrize(
    ("content", "more"),
    [
        ([{"type": "image_url", "image_url": {"url": "https://x"}}], {}),
        ([{"type": "text", "text": "a"}, {"type": "file", "file": {"file_id": "f"}}], {}),
        ([{"type": "from_the_future"}], {}),
        ({"odd": 1}, {}),
        ("hi", {"modalities": ["text", "audio"], "audio": {"voice": "a"}}),
        ("hi", {"chat_template": "{% for i in range(999) %}{{ messages }}{% endfor %}"}),
        ("hi", {"extra_body": {"google": {"cached_content": "c"}}}),
        ("hi", {"previous_response_id": "r"}),
        ("hi", {"messages": [{"role": "assistant", "audio": {"id": "a"}}]}),
    ],
)
def test_what_is_not_text_takes_the_whole_context(content: Any, more: dict[str, Any]) -> None:
    found = bounds(ask(content, **more), MODEL)
    assert found.input_tokens == 8_000
    assert found.modalities == MODALITIES >= {"text", "image", "audio", "video"}


def test_too_many_choices_are_refused() -> None:
    with pytest.raises(Refusal) as caught:
        bounds(ask(n=10**6), MODEL)
    assert (caught.value.status, caught.value.param) == (400, "n")


def refused(raw: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(raw)
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("models", ["vendor/dearest"]),
        ("route", "fallback"),
        ("preset", "mine"),
        ("provider", {"order": ["dear"]}),
        ("plugins", [{"id": "web"}]),
        ("fallbacks", ["other"]),
        ("web_search_options", {}),
        ("prediction", {"type": "content", "content": "x"}),
        ("background", True),
        ("search_parameters", {"mode": "on"}),
        ("deferred", True),
        ("enable_search", True),
        ("search_settings", {}),
        ("compound_custom", {"tools": {}}),
        ("mcp_servers", [{"url": "https://x"}]),
        ("speed", "fast"),
        ("inference_geo", "us"),
        ("best_of", 5),
        ("tools", [{"type": "web_search"}]),
        ("tools", [{"type": "function", "function": {"name": "f"}}, {"type": "code_interpreter", "container": {"type": "auto"}}]),
        ("tools", [{"type": "builtin_function", "function": {"name": "$web_search"}}]),
        ("tools", [{"google_search": {}}]),
        ("tools", ["web_search"]),
    ],
)
def test_what_has_no_worst_case_is_refused(field: str, value: Any) -> None:
    refusal = refused(orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], field: value}))
    assert (refusal.code, refusal.param) == ("unpriceable_field", field)


def test_each_refused_field_is_off_where_it_is_null() -> None:
    off: dict[str, Any] = {**dict.fromkeys(UNPRICEABLE), "plugins": [], "background": False, "best_of": 1, "tools": None}
    made = ask(**off)
    assert bounds(made, MODEL).modalities == TEXT


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "g"}}]},
        {"tools": []},
        {"store": True, "metadata": {"a": "b"}, "transforms": ["middle-out"], "x_vendor": {"plugins": [1]}},
    ],
)
def test_what_only_adds_its_own_bytes_passes_unread(more: dict[str, Any]) -> None:
    made = ask(**more)
    assert {name: made.body[name] for name in more} == more
    assert made.text_only


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 2**70, 10**30, 2**64 - 1, -(2**63), 7])
def test_integers_keep_their_digits(number: int) -> None:
    raw = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":%d}' % number
    assert parse(raw).body["seed"] == number
    assert type(parse(raw).body["seed"]) is int


@pytest.mark.parametrize("levels", [254, 255, 900, 1_020, 1_100, 100_000])
def test_deep_bodies_are_refused(levels: int) -> None:
    # the body itself is a level
    deep = b"[" * (levels - 1) + b"]" * (levels - 1)
    raw = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"x":%s}' % deep
    if levels == 254:
        assert orjson.dumps(dict(parse(raw).body)) == raw
    else:
        assert refused(raw).code == "invalid_json"
