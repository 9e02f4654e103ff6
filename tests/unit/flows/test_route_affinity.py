"""Weighted rendezvous hashing, and what makes two requests one conversation."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.flows.route.affinity import affinity, ranked

KEYS = [str(number).encode() for number in range(20_000)]


def firsts(weights: dict[str, int]) -> list[str]:
    return [ranked(key, weights)[0] for key in KEYS]


@pytest.mark.parametrize("weights", [{"a": 1, "b": 1}, {"a": 7, "b": 2, "c": 1}, {"a": 1, "b": 99}])
def test_first_places_converge_to_the_weights(weights: dict[str, int]) -> None:
    counted = Counter(firsts(weights))
    for name, weight in weights.items():
        share = weight / sum(weights.values())
        # four standard deviations of a binomial
        assert abs(counted[name] / len(KEYS) - share) < 4 * (share * (1 - share) / len(KEYS)) ** 0.5


def test_a_change_of_one_weight_moves_keys_only_to_or_from_it_and_no_more_than_it_must() -> None:
    before, after = firsts({"a": 5, "b": 3, "c": 2}), firsts({"a": 5, "b": 3, "c": 4})
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert {new for _, new in moved} == {"c"}
    # c's share goes from 2/10 to 4/12
    assert abs(len(moved) / len(KEYS) - (4 / 12 - 2 / 10)) < 0.015


def test_a_member_that_leaves_moves_its_own_keys_only() -> None:
    before, after = firsts({"a": 5, "b": 3, "c": 2}), firsts({"a": 5, "b": 3})
    assert all(new == old for old, new in zip(before, after, strict=True) if old != "c")


@given(key=st.binary(max_size=40), weights=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**6), min_size=1))
def test_all_members_are_ranked_once_and_those_without_weight_last(key: bytes, weights: dict[str, int]) -> None:
    order = ranked(key, weights)
    assert sorted(order) == sorted(weights)
    assert order == ranked(key, dict(reversed(list(weights.items()))))
    if len(weights) > 1:
        seen = [weights[name] > 0 for name in order]
        assert seen == sorted(seen, reverse=True)


HELLO = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}]
ANSWERED = [*HELLO, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "more"}]
OTHER = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "goodbye"}]


def key(body: dict[str, object], customer: str = "ada", session: str = "") -> bytes:
    return affinity(body, customer=customer, session=session)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"messages": HELLO}, {"messages": ANSWERED, "temperature": 1}),
        ({"user": "u", "messages": HELLO}, {"user": "u", "messages": OTHER}),
        ({"prompt_cache_key": "k", "user": "u"}, {"prompt_cache_key": "k", "user": "v"}),
        ({"metadata": {"user_id": "u"}, "messages": HELLO}, {"metadata": {"user_id": "u"}, "messages": OTHER}),
        ({"instructions": "be kind", "input": HELLO}, {"instructions": "be kind", "input": ANSWERED}),
        ({"system": "be kind", "messages": HELLO[1:]}, {"system": "be kind", "messages": ANSWERED[1:]}),
    ],
)
def test_one_conversation_is_one_key(one: dict[str, object], two: dict[str, object]) -> None:
    assert key(one) == key(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"messages": HELLO}, {"messages": OTHER}),
        ({"user": "u", "messages": HELLO}, {"user": "v", "messages": HELLO}),
        ({"input": "a"}, {"input": "b"}),
        ({"system": "a", "messages": HELLO}, {"system": "b", "messages": HELLO}),
        # names of the wrong kind name nothing
        ({"user": 7, "metadata": [], "messages": HELLO}, {"user": 7, "metadata": [], "messages": OTHER}),
    ],
)
def test_others_are_others(one: dict[str, object], two: dict[str, object]) -> None:
    assert key(one) != key(two)


def test_customers_share_no_key_and_a_header_stands_above_the_fields() -> None:
    assert key({"user": "u"}) != key({"user": "u"}, "bob")
    assert key({"user": "u"}, session="s") == key({"user": "v"}, session="s") != key({"user": "u"})


def test_a_number_beyond_64_bits_is_as_good_a_beginning_as_any() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"maximum": 2**70}}}]
    assert key({"messages": HELLO, "tools": tools}) == key({"messages": ANSWERED, "tools": tools})
    assert key({"messages": HELLO, "tools": tools}) != key({"messages": HELLO})
