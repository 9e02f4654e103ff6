"""What is read of a request, and the bounds that its hold is priced at."""

from typing import Any

import orjson
import pytest

from tests.support.shop import model
from tokenworth.flows.serve.ask import MODALITIES, Ask, bounds, parse_chat
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.price.worst import TEXT

MODEL = model("m", "s", context=8_000, max_output=1_000, input_allowance=100)


def ask(content: Any = "hi", **more: Any) -> Ask:
    return parse_chat(orjson.dumps({"model": "m", "messages": [{"role": "user", "content": content}]} | more))


def test_defaults() -> None:
    made = ask()
    assert (made.tier, made.output_limit, made.choices) == ("default", None, 1)
    assert (made.stream, made.include_usage, made.text_only) == (False, False, True)


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
        ("hi", {"web_search_options": {}}),
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
