"""Rate limits, on a clock of the test's own."""

from hypothesis import given
from hypothesis import strategies as st

from tokenworth.book.model import Rates
from tokenworth.flows.rates import MINUTE, Admitted, Bucket, Exceeded, Limiter

SECOND = 1_000_000


def admitted(limiter: Limiter, rates: Rates, *, tokens: int = 0, stream: bool = False, at: int = 0, key: str = "k") -> Admitted:
    got = limiter.admit(key, rates, tokens=tokens, stream=stream, at=at)
    assert isinstance(got, Admitted)
    return got


def exceeded(limiter: Limiter, rates: Rates, *, tokens: int = 0, stream: bool = False, at: int = 0, key: str = "k") -> Exceeded:
    got = limiter.admit(key, rates, tokens=tokens, stream=stream, at=at)
    assert isinstance(got, Exceeded)
    return got


def test_a_minute_at_once_then_evenly() -> None:
    limiter, rates = Limiter(), Rates(requests=60)
    for left in range(59, -1, -1):
        (standing,) = admitted(limiter, rates).standings
        assert (standing.kind, standing.limit, standing.left) == ("requests", 60, left)
    assert exceeded(limiter, rates).wait == SECOND
    assert exceeded(limiter, rates, at=SECOND - 1).wait == 1
    admitted(limiter, rates, at=SECOND)


def test_when_all_is_there_again() -> None:
    limiter = Limiter()
    (standing,) = admitted(limiter, Rates(tokens=6_000), tokens=300).standings
    # 300 of 6,000 a minute come back in 3 s
    assert (standing.left, standing.full_in) == (5_700, 3 * SECOND)


def test_what_was_not_used_comes_back_and_once() -> None:
    limiter, rates = Limiter(), Rates(tokens=1_000)
    lease = admitted(limiter, rates, tokens=900)
    assert exceeded(limiter, rates, tokens=200).kind == "tokens"
    lease.end(100)
    lease.end(0)
    assert admitted(limiter, rates, tokens=200).standings[0].left == 700


def test_what_was_used_beyond_is_owed() -> None:
    limiter, rates = Limiter(), Rates(tokens=600)
    admitted(limiter, rates, tokens=600).end(660)
    refused = exceeded(limiter, rates, tokens=10)
    # sixty owed and ten asked for, at ten a second
    assert (refused.wait, refused.standings[0].left) == (7 * SECOND, 0)


def test_a_request_larger_than_the_limit_waits_for_a_full_bucket() -> None:
    limiter, rates = Limiter(), Rates(tokens=1_000)
    admitted(limiter, rates, tokens=1)
    assert exceeded(limiter, rates, tokens=5_000).wait == MINUTE // 1_000
    admitted(limiter, rates, tokens=5_000, at=MINUTE)


def test_the_longest_wait_is_told_and_a_refusal_takes_nothing() -> None:
    limiter, rates = Limiter(), Rates(requests=2, tokens=100)
    admitted(limiter, rates, tokens=100)
    assert exceeded(limiter, rates, tokens=50).kind == "tokens"
    refused = exceeded(limiter, rates, tokens=50, at=29 * SECOND)
    assert refused.kind == "tokens"
    assert {standing.kind: standing.left for standing in refused.standings} == {"requests": 1, "tokens": 48}
    admitted(limiter, rates, tokens=50, at=30 * SECOND)


def test_streams_are_counted_until_they_end() -> None:
    limiter, rates = Limiter(), Rates(streams=1)
    lease = admitted(limiter, rates, stream=True)
    assert exceeded(limiter, rates, stream=True, at=MINUTE * 60) == Exceeded("streams", 1, 0, ())
    admitted(limiter, rates)
    lease.end()
    lease.end()
    admitted(limiter, rates, stream=True)
    assert exceeded(limiter, rates, stream=True).kind == "streams"


def test_keys_do_not_share_and_a_new_limit_holds_at_once() -> None:
    limiter = Limiter()
    admitted(limiter, Rates(requests=1))
    admitted(limiter, Rates(requests=1), key="other")
    exceeded(limiter, Rates(requests=1))
    admitted(limiter, Rates(requests=2))


def test_idle_keys_are_forgotten_and_others_are_not() -> None:
    limiter, rates = Limiter(), Rates(requests=10, tokens=10, streams=1)
    admitted(limiter, rates, key="done").end()
    lease = admitted(limiter, rates, key="streaming", stream=True)
    admitted(limiter, rates, key="owing", tokens=10).end(1_000)
    admitted(limiter, rates, key="new", at=3 * MINUTE)
    assert set(limiter._keys) == {"streaming", "owing", "new"}
    lease.end()


@given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 20 * SECOND), st.integers(1, 10)), max_size=200))
def test_no_minute_has_more_than_two_minutes_worth(limit: int, asked: list[tuple[int, int]]) -> None:
    bucket, at, taken = Bucket(limit, 0), 0, list[tuple[int, int]]()
    for pause, number in asked:
        at += pause
        if number <= limit and not bucket.wait(number, at):
            bucket.take(number)
            taken.append((at, number))
    for start, _ in taken:
        assert sum(number for when, number in taken if start <= when < start + MINUTE) <= 2 * limit


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, MINUTE))
def test_after_the_wait_it_can_be_taken_and_not_before(limit: int, number: int, at: int) -> None:
    bucket = Bucket(limit, 0)
    bucket.take(limit)
    wait = bucket.wait(number, at)
    assert not bucket.wait(number, at + wait)
    if wait:
        earlier = Bucket(limit, 0)
        earlier.take(limit)
        assert earlier.wait(number, at + wait - 1)
