"""The circuit breaker, by a clock that the test moves; and which failures may be tried elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core.instants import SECOND
from tokenworth.flows.route.health import Breaker, Health, Trip
from tokenworth.flows.route.router import Router
from tokenworth.flows.route.verdict import Fault, judge

T = 1_800_000_000 * SECOND
TRIP = Trip(window=10 * SECOND, least=4, percent=50, pause=5 * SECOND, longest=15 * SECOND)


def failing(count: int = 4, at: int = T) -> Breaker:
    breaker = Breaker(TRIP)
    for _ in range(count):
        breaker.failed(at)
    return breaker


def test_it_opens_at_the_share_of_failures_and_not_before_enough_answers() -> None:
    assert failing(3).health(T) is Health.CLOSED
    assert failing(4).health(T) is Health.OPEN
    mixed = Breaker(TRIP)
    for at in range(5):
        mixed.answered(T + at)
    for at in range(4):
        mixed.failed(T + at)
    assert mixed.health(T + 5) is Health.CLOSED, "4 of 9 are less than half"
    mixed.failed(T + 6)
    assert mixed.health(T + 7) is Health.OPEN


def test_what_is_older_than_the_window_is_forgotten() -> None:
    breaker = failing(3)
    breaker.failed(T + TRIP.window)
    assert breaker.health(T + TRIP.window) is Health.CLOSED


def test_one_request_is_the_probe_and_its_answer_closes() -> None:
    breaker = failing()
    late = T + TRIP.pause
    assert breaker.health(late - 1) is Health.OPEN
    assert breaker.health(late) is Health.HALF_OPEN
    breaker.begin(late)
    assert breaker.health(late + 1) is Health.OPEN, "a second request is not sent"
    breaker.answered(late + 2)
    assert breaker.health(late + 3) is Health.CLOSED
    breaker.failed(late + 4)
    assert breaker.health(late + 5) is Health.CLOSED, "what was before is forgotten"


def test_a_probe_that_fails_opens_for_twice_as_long_up_to_the_longest() -> None:
    breaker, at, pauses = failing(), T, []
    for _ in range(4):
        end = next(at + step for step in range(0, 60 * SECOND, SECOND // 2) if breaker.health(at + step) is Health.HALF_OPEN)
        pauses.append((end - at) // SECOND)
        at = end
        breaker.begin(at)
        breaker.failed(at)
    assert pauses == [5, 10, 15, 15]


def test_a_probe_whose_client_leaves_makes_room_for_another() -> None:
    breaker = failing()
    late = T + TRIP.pause
    breaker.begin(late)
    breaker.gave_up()
    assert breaker.health(late) is Health.HALF_OPEN


def test_an_answer_from_before_does_not_close_an_open_breaker() -> None:
    breaker = failing()
    breaker.answered(T + SECOND)
    assert breaker.health(T + SECOND) is Health.OPEN


def test_a_busy_member_is_left_alone_and_then_healthy() -> None:
    breaker = Breaker(TRIP)
    breaker.leave_alone(T + 3 * SECOND)
    breaker.leave_alone(T + SECOND)
    assert breaker.health(T + 3 * SECOND - 1) is Health.OPEN
    assert breaker.health(T + 3 * SECOND) is Health.CLOSED


@given(st.lists(st.tuples(st.sampled_from(["ok", "bad", "begin", "gone", "busy"]), st.integers(0, 20 * SECOND)), max_size=60))
def test_whatever_happened_it_is_tried_again_within_the_longest_pause(steps: list[tuple[str, int]]) -> None:
    breaker, at = Breaker(TRIP), T
    for what, wait in steps:
        at += wait
        if what == "ok":
            breaker.answered(at)
        elif what == "bad":
            breaker.failed(at)
        elif what == "begin":
            breaker.begin(at)
        elif what == "gone":
            breaker.gave_up()
        else:
            breaker.leave_alone(at + SECOND)
    breaker.gave_up()
    assert breaker.health(at + TRIP.longest) is not Health.OPEN


def test_who_does_not_answer_is_asked_last_but_asked() -> None:
    router = Router(TRIP)
    weights = {"a": 1, "b": 1, "c": 1}
    first, second, third = router.order(weights, b"key", T)
    for _ in range(4):
        router.breaker(first).failed(T)
    assert router.order(weights, b"key", T) == [second, third, first]
    assert router.order({first: 1}, b"key", T) == [first]
    assert router.order(weights, b"key", T + TRIP.pause)[0] == first
    assert router.healths(T)[first] is Health.OPEN


@pytest.mark.parametrize(
    ("status", "headers", "fault", "seconds"),
    [
        (200, {}, Fault.NONE, 0),
        (400, {}, Fault.CLIENT, 0),
        (404, {}, Fault.CLIENT, 0),
        (413, {"retry-after": "1"}, Fault.CLIENT, 0),
        (429, {}, Fault.CLIENT, 0),
        (429, {"retry-after": "soon"}, Fault.CLIENT, 0),
        (429, {"retry-after": "nan"}, Fault.CLIENT, 0),
        (429, {"retry-after": "2.5"}, Fault.BUSY, 2.5),
        (429, {"retry-after": "1e9"}, Fault.BUSY, 600),
        (429, {"retry-after": "-5"}, Fault.BUSY, 0),
        (429, {"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, Fault.BUSY, 30),
        (401, {}, Fault.SUPPLIER, 0),
        (402, {}, Fault.SUPPLIER, 0),
        (500, {}, Fault.SUPPLIER, 0),
        (529, {}, Fault.SUPPLIER, 0),
    ],
)
def test_whose_fault_a_status_is(status: int, headers: dict[str, str], fault: Fault, seconds: float) -> None:
    found = judge(status, headers, T)
    assert (found.fault, found.pause) == (fault, seconds * SECOND)
    assert found.elsewhere is (fault in (Fault.SUPPLIER, Fault.BUSY))
