"""Promises of latency against how answers came."""

import pytest

from tokenworth.core.instants import SECOND
from tokenworth.flows.schedule.promise import Pace, Promise, kept

BOTH = Promise(first_token=SECOND, speed=50)


@pytest.mark.parametrize(
    ("promise", "pace", "verdict"),
    [
        # 101 tokens: 100 after the first, in 2 s
        (BOTH, Pace(SECOND, 3 * SECOND, 101, stream=True), True),
        (BOTH, Pace(SECOND + 1, 3 * SECOND, 101, stream=True), False),
        (BOTH, Pace(SECOND, 3 * SECOND + 1, 101, stream=True), False),
        (BOTH, Pace(SECOND, 9 * SECOND, 1, stream=True), True),
        (Promise(first_token=SECOND), Pace(SECOND, 90 * SECOND, 101, stream=True), True),
        (Promise(speed=50), Pace(80 * SECOND, 82 * SECOND, 101, stream=True), True),
        (Promise(), Pace(80 * SECOND, 82 * SECOND, 101, stream=True), None),
        # a whole answer of 100 tokens has a second and two
        (BOTH, Pace(3 * SECOND, 3 * SECOND, 100, stream=False), True),
        (BOTH, Pace(3 * SECOND, 3 * SECOND + 1, 100, stream=False), False),
        (Promise(first_token=SECOND), Pace(3 * SECOND, 3 * SECOND, 100, stream=False), None),
    ],
)
def test_whether_it_was_kept(promise: Promise, pace: Pace, verdict: bool | None) -> None:
    assert kept(promise, pace) is verdict


def test_the_speed_that_a_user_sees_is_that_after_the_first_token() -> None:
    assert Pace(SECOND, 3 * SECOND, 101, stream=True).speed == 50
    assert Pace(SECOND, SECOND, 101, stream=True).speed is None
    assert Pace(SECOND, 3 * SECOND, 101, stream=False).speed is None
