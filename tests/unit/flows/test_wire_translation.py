"""Between formats: what is lost is refused by the client's own name of it, and the rest says the same."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.shop import model
from tokenworth.book.model import Supplier
from tokenworth.flows.exact_json import encode
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import chat, messages, responses
from tokenworth.flows.serve.wire.find import FORMATS, find_bridge

ROOT = Path(__file__).parents[3]
SPEC = importlib.util.spec_from_file_location("formats_page", ROOT / "scripts" / "formats_page.py")
assert SPEC is not None
assert SPEC.loader is not None
PAGE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(PAGE)

MODEL = model("m", "s", max_output=500)
PART = "messages.0.content.0"
LOST: dict[tuple[str, str], dict[str, str]] = {
    ("chat", "messages"): {
        "temperature above 1": "temperature",
        "tools with a grammar": "tools.0",
        "how closely an image is looked at": f"{PART}.image_url.detail",
        "what was uploaded": PART,
        "audio": PART,
        "the least effort": "reasoning_effort",
        "reasoning without a proof": "messages.0.reasoning_content",
        "marks with a lifetime": f"{PART}.prompt_cache_breakpoint.ttl",
        "answers of any JSON": "response_format",
        "how wordy the answer is": "verbosity",
        "metadata": "metadata",
        "log probabilities": "logprobs",
        "several answers": "n",
        "penalties, seeds, biases": "seed",
        "unknown fields": "x_vendor",
    },
    ("chat", "responses"): {
        "stop sequences": "stop",
        "tools with a grammar": "tools.0",
        "what was uploaded": PART,
        "audio": PART,
        "log probabilities": "logprobs",
        "several answers": "n",
        "penalties, seeds, biases": "seed",
        "unknown fields": "x_vendor",
    },
    ("messages", "chat"): {
        "top_k": "top_k",
        "results that are errors": f"{PART}.is_error",
        "images in results": f"{PART}.content.0",
        "documents by URL": PART,
        "what was uploaded": PART,
        "citations": f"{PART}.citations",
        "the most effort": "output_config.effort",
        "thinking with a budget": "thinking.budget_tokens",
        "marks with a lifetime": f"{PART}.cache_control.ttl",
        "unknown fields": "x_vendor",
    },
    ("messages", "responses"): {
        "top_k": "top_k",
        "stop sequences": "stop_sequences",
        "results that are errors": f"{PART}.is_error",
        "what was uploaded": PART,
        "citations": f"{PART}.citations",
        "the most effort": "output_config.effort",
        "thinking with a budget": "thinking.budget_tokens",
        "marks with a lifetime": f"{PART}.cache_control.ttl",
        "unknown fields": "x_vendor",
    },
    ("responses", "chat"): {
        "tools with a grammar": "tools.0",
        "images in results": "input.0.output.0",
        "documents by URL": "input.0.content.0",
        "what was uploaded": "input.0.content.0",
        "log probabilities": "top_logprobs",
        "unknown fields": "x_vendor",
    },
    ("responses", "messages"): {
        "temperature above 1": "temperature",
        "tools with a grammar": "tools.0",
        "how closely an image is looked at": "input.0.content.0.detail",
        "what was uploaded": "input.0.content.0",
        "the least effort": "reasoning.effort",
        "reasoning without a proof": "input.0",
        "marks with a lifetime": "input.0.content.0.prompt_cache_breakpoint.ttl",
        "answers of any JSON": "text.format",
        "how wordy the answer is": "text.verbosity",
        "metadata": "metadata",
        "log probabilities": "top_logprobs",
        "unknown fields": "x_vendor",
    },
}
"""What a supplier's format cannot say, by (client's format, supplier's), and the name of it in the client's body."""
NEVER = {"what is stored": "stored_state", "the supplier's own tools": "unpriceable_field"}


@pytest.mark.parametrize("client", PAGE.NAMES)
@pytest.mark.parametrize("supplier", PAGE.NAMES)
def test_what_is_lost_is_refused_by_name_and_nothing_else_is(client: str, supplier: str) -> None:
    found = {feature: PAGE.outcome(client, supplier, cases[client][1]) for feature, cases in PAGE.FEATURES.items() if client in cases}
    lost = LOST.get((client, supplier), {})
    assert lost.keys() <= found.keys()
    for feature, outcome in found.items():
        if feature in NEVER:
            assert outcome.startswith(NEVER[feature])
        elif feature in lost:
            assert outcome == f"refused: `{lost[feature]}`"
        else:
            assert outcome == ("as it is" if client == supplier else "translated")


def test_the_tables_of_the_documentation_are_made_by_translating() -> None:
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert PAGE.page(text) == text, "run: .venv/bin/python scripts/formats_page.py"


def translate(client: str, supplier: str, body: dict[str, Any], **more: Any) -> Any:
    ask = FORMATS[client].parse(encode(PAGE.BASES[client] | body))
    return find_bridge(client, PAGE.SUPPLIERS[supplier]).request(ask, model("m", "s", max_output=500, **more))


def test_anthropics_needs_a_limit_and_gets_the_models() -> None:
    assert translate("chat", "messages", {})["max_tokens"] == 500
    assert translate("chat", "messages", {"max_tokens": 7})["max_tokens"] == 7


@pytest.mark.parametrize(
    ("list_price", "name"), [("", "max_completion_tokens"), ("openai/gpt", "max_completion_tokens"), ("deepseek/deepseek-chat", "max_tokens")]
)
def test_the_limit_goes_by_the_name_that_the_supplier_knows(list_price: str, name: str) -> None:
    ask = messages.FORMAT.parse(orjson.dumps(PAGE.BASES["messages"]))
    body = chat.SUPPLIER.write_request(messages.CLIENT.read_request(ask), ask, replace(model("m", "s"), list_price=list_price))
    assert body[name] == 100


@pytest.mark.parametrize(
    ("tiers", "asked", "sent"),
    [((), "priority", None), ((), "default", None), (("priority",), "priority", "auto"), (("priority",), "default", "standard_only")],
)
@pytest.mark.parametrize("client", ["chat", "messages"])
def test_anthropics_tier_says_whether_priority_may_be_used(client: str, tiers: tuple[str, ...], asked: str, sent: str | None) -> None:
    assert translate(client, "messages", {"service_tier": asked}, tiers=tiers).get("service_tier") == sent


def test_a_tier_is_passed_on_only_where_the_model_says_so() -> None:
    assert "service_tier" not in translate("messages", "chat", {"service_tier": "priority"})
    assert translate("messages", "chat", {"service_tier": "priority"}, tiers=("priority",))["service_tier"] == "priority"


def test_results_come_with_the_users_turn_that_follows_them() -> None:
    calls = [{"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}} for name in "ab"]
    said = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": name, "content": name} for name in "ab"),
        {"role": "user", "content": "and?"},
    ]
    made = translate("chat", "messages", {"messages": said})["messages"]
    assert [(turn["role"], [block["type"] for block in turn["content"]]) for turn in made] == [
        ("user", ["text"]),
        ("assistant", ["tool_use", "tool_use"]),
        ("user", ["tool_result", "tool_result", "text"]),
    ]


def test_a_mark_of_the_whole_request_is_one_of_its_last_part() -> None:
    made = translate("messages", "chat", {"cache_control": {"type": "ephemeral"}})
    assert made["messages"][-1]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}


def test_calls_whose_arguments_are_no_object_cannot_go_to_anthropic() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{oops"}}
    with pytest.raises(Refusal) as caught:
        translate("chat", "messages", {"messages": [{"role": "assistant", "tool_calls": [call]}]})
    assert (caught.value.code, caught.value.param) == ("untranslatable_field", "messages.0.tool_calls.0.function.arguments")


@pytest.mark.parametrize(
    ("client", "body", "param"),
    [
        ("chat", {"messages": [{"role": "robot", "content": "hi"}]}, "messages.0.role"),
        ("chat", {"temperature": "hot"}, "temperature"),
        ("messages", {"messages": [{"role": "tool", "content": "hi"}]}, "messages.0.role"),
        ("messages", {"tool_choice": {"type": "perhaps"}}, "tool_choice.type"),
        ("responses", {"input": [{"role": "tool", "content": "hi"}]}, "input.0.role"),
        ("responses", {"metadata": 1}, "metadata"),
    ],
)
def test_what_is_malformed_is_named(client: str, body: dict[str, Any], param: str) -> None:
    supplier = "chat" if client == "messages" else "messages"
    with pytest.raises(Refusal) as caught:
        translate(client, supplier, body)
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, "invalid_value", param)


def test_a_supplier_that_speaks_several_gets_the_same_format_else_the_first() -> None:
    both = Supplier("s", "openai", speaks=("responses", "chat"))
    assert find_bridge("chat", both) is chat.SAME
    assert find_bridge("responses", both) is responses.SAME
    assert find_bridge("messages", both).api == "responses"


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30])
def test_numbers_of_calls_stay_what_they_are(number: int) -> None:
    called = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"n": number}}]}
    sent = translate("messages", "chat", {"messages": [{"role": "user", "content": "x"}, called], "max_tokens": 5})
    (call,) = sent["messages"][-1]["tool_calls"]
    assert call["function"]["arguments"] == f'{{"n":{number}}}'
    back = translate("chat", "messages", {"messages": [{"role": "user", "content": "x"}, sent["messages"][-1]]})
    assert back["messages"][-1]["content"][0]["input"] == {"n": number}
