"""Texts inside requests and answers, and their tokens."""

from hypothesis import given
from hypothesis import strategies as st

from tokenworth.flows.serve.wire.text import KEPT_BYTES, Said, by_bytes


def test_texts_are_found_and_what_is_no_text_is_not() -> None:
    said = Said([{"role": "user", "content": [{"type": "text", "text": "abc"}, {"type": "image_url", "image_url": {"url": "data:xxxx"}}]}, None, 7])
    said.add({"tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": "{}"}}]})
    assert said.size == len("abc") + len("f{}")


def test_a_deep_value_is_read() -> None:
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]
    assert Said(deep).size == 1


def test_nothing_has_no_tokens() -> None:
    assert Said().tokens(by_bytes) == Said("").tokens(len) == 0


@given(st.lists(st.text(st.characters(codec="utf-8"))))
def test_short_texts_are_counted_whole(parts: list[str]) -> None:
    said = Said()
    for part in parts:
        said.add(part)
    assert said.tokens(len) == len("".join(parts))


def test_the_rest_of_a_long_text_has_as_many_tokens_a_byte() -> None:
    said = Said("ab" * KEPT_BYTES)
    assert len(said._kept) == KEPT_BYTES
    assert said.tokens(lambda text: text.count("a")) == KEPT_BYTES
    said.add("é" * KEPT_BYTES)
    assert (len(said._kept), said.size) == (KEPT_BYTES, 4 * KEPT_BYTES)


def test_half_a_surrogate_pair_is_three_bytes() -> None:
    assert by_bytes("\ud83d\ud83d") == 2
    assert Said("\ud83d").tokens(len) > 0


def test_bytes_round_up() -> None:
    assert [by_bytes(text) for text in ("", "a", "abcd", "abcde", "東京")] == [0, 1, 1, 2, 2]
