"""Lengths of answers and their quantiles."""

import random
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.flows.sizes import ANEW, EXACT, GENERATION, LEAST, Sizes, bucket, top


@given(st.integers(0, 10**9))
def test_a_length_is_in_its_bucket_and_within_a_sixteenth_of_its_top(length: int) -> None:
    last = top(bucket(length))
    assert length <= last
    assert bucket(last) == bucket(length) != bucket(last + 1)
    assert last - length <= (0 if length < EXACT else length / 16)


def test_buckets_follow_each_other() -> None:
    assert all(after - before in (0, 1) for before, after in pairwise(bucket(length) for length in range(100_000)))


def test_quantiles_of_a_known_distribution() -> None:
    dice = random.Random(1)
    lengths = [int(dice.lognormvariate(5, 1)) for _ in range(3_000)]
    sizes = Sizes(("chat", length) for length in lengths)
    for percent in (50, 90, 95, 99):
        exact = int(np.quantile(lengths, percent / 100, method="inverted_cdf"))
        told = sizes.quantile("chat", percent)
        assert told is not None
        assert exact <= told <= exact * 17 / 16 + 1


def test_nothing_is_told_of_few_or_of_none() -> None:
    sizes = Sizes([("chat", 7)] * (LEAST - 1))
    assert (sizes.quantile("chat", 50), sizes.quantile("other", 50)) == (None, None)
    for _ in range(ANEW):
        sizes.learn("chat", 7)
    assert sizes.quantile("chat", 99) == 7


def test_what_is_old_is_forgotten() -> None:
    sizes = Sizes([("chat", 5_000)] * GENERATION)
    for _ in range(GENERATION):
        sizes.learn("chat", 10)
    assert sizes.quantile("chat", 99) == top(bucket(5_000))
    for _ in range(ANEW):
        sizes.learn("chat", 10)
    assert sizes.quantile("chat", 99) == 10
