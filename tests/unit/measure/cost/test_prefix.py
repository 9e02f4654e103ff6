"""The prefix cache: a plain reading of the rule, and the trace that ships."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core.errors import InputError
from tokenworth.feeds.demand import prompts
from tokenworth.feeds.traces import BLOCK_TOKENS, load, prefix_blocks
from tokenworth.measure.cost.prefix import Prompt, hit_rate, hits

chains = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True), min_size=1, max_size=25)


def plain(asked: list[list[str]], room: int) -> list[int]:
    """Keep every block's last use, and find the youngest `room` of them anew for each prompt."""
    used: dict[str, tuple[int, int]] = {}
    found = []
    for turn, blocks in enumerate(asked):
        kept = sorted(used, key=lambda name: used[name])[-room:] if room else []
        found.append(next((at for at, name in enumerate(blocks) if name not in kept), len(blocks)))
        used.update({name: (turn, -at) for at, name in enumerate(blocks)})
    return found


@given(chains, st.integers(0, 7))
def test_the_cache_holds_what_was_used_last(asked: list[list[str]], room: int) -> None:
    given_ = [Prompt(10 * len(blocks), [ord(name) for name in blocks]) for blocks in asked]
    assert list(hits(given_, 10, 10 * room + 9)) == [10 * at for at in plain(asked, room)]


@given(chains)
def test_a_larger_cache_never_hits_less(asked: list[list[str]]) -> None:
    given_ = [Prompt(10 * len(blocks), [ord(name) for name in blocks]) for blocks in asked]
    curve = [list(hits(given_, 10, 10 * room)) for room in range(8)] + [list(hits(given_, 10))]
    assert all(a <= b for less, more in pairwise(curve) for a, b in zip(less, more, strict=True))


def test_the_last_block_may_be_part_of_one() -> None:
    assert list(hits([Prompt(700, [1, 2]), Prompt(700, [1, 2])], 512)) == [0, 700]


def test_an_unbounded_cache_is_the_traces_own_reading() -> None:
    found = list(hits(prompts("mooncake-conversation"), BLOCK_TOKENS))
    assert found == [row.cached for row in load("mooncake-conversation")]


def test_the_publishers_mean_prompt() -> None:
    # FAST25-release/README.md of kvcache-ai/Mooncake: 12,031 requests of 12,035 tokens on average
    sizes = [tokens for tokens, _ in prefix_blocks("mooncake-conversation")]
    assert (len(sizes), round(sum(sizes) / len(sizes))) == (12_031, 12_035)


def test_the_curve_of_the_trace_rises_to_what_is_ever_repeated() -> None:
    asked = prompts("mooncake-conversation")[:2_000]
    curve = [hit_rate(asked, BLOCK_TOKENS, size) for size in (10**5, 10**6, 10**7)]
    assert curve == sorted(curve)
    assert curve[-1] <= hit_rate(asked, BLOCK_TOKENS)


def test_a_trace_without_blocks_says_so() -> None:
    with pytest.raises(InputError) as caught:
        prefix_blocks("azure2023-conv")
    assert caught.value.code == "no_blocks"
