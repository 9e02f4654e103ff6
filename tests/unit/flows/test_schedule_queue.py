"""The queue in front of a supplier, in virtual time: who goes first, who is kept waiting, who is told to come again."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.queueing import Arrival, simulate
from tokenworth.core.instants import SECOND
from tokenworth.flows.schedule.capacity import BURST, MINUTE, Capacity
from tokenworth.flows.schedule.queue import Queue, State

PATIENCE = {"priority": 2 * SECOND, "default": 20 * SECOND, "flex": 120 * SECOND}
T = 1_800_000_000 * SECOND


def queue(slots: int = 0, tokens: int = 0, **reserved: int) -> Queue:
    return Queue(Capacity(slots, tokens, reserved, at=T), PATIENCE)


def test_who_finds_room_starts_and_who_does_not_waits_for_an_end() -> None:
    made = queue(1)
    first, second = made.enter("default", 0, T), made.enter("default", 0, T + 1)
    assert (first.state, second.state, len(made)) == (State.STARTED, State.WAITING, 1)
    assert made.end(first, T + 5) == ([second], [])
    assert (second.waited, len(made)) == (4, 0)


@pytest.mark.parametrize(("tiers", "order"), [(["flex", "default", "priority"], [2, 1, 0]), (["priority", "priority"], [0, 1])])
def test_the_tier_of_less_patience_goes_first_and_within_a_tier_who_came_first(tiers: list[str], order: list[int]) -> None:
    made = queue(1)
    running = made.enter("default", 0, T)
    tickets = [made.enter(tier, 0, T + at) for at, tier in enumerate(tiers)]
    seen = []
    while len(made):
        ((running,), _) = made.end(running, T + 10)
        seen.append(tickets.index(running))
    assert seen == order


def test_who_has_waited_for_the_difference_of_patience_goes_before_whoever_comes_now() -> None:
    made = queue(1)
    running = made.enter("default", 0, T)
    flex = made.enter("flex", 0, T)
    late = T + PATIENCE["flex"] - PATIENCE["priority"] + 1
    made.enter("priority", 0, late)
    assert made.end(running, late)[0] == [flex]


def test_what_is_reserved_for_a_tier_is_kept_for_it() -> None:
    made = queue(10, priority=20)
    flex = [made.enter("flex", 0, T) for _ in range(10)]
    assert [ticket.state for ticket in flex].count(State.STARTED) == 8
    priority = [made.enter("priority", 0, T + 1) for _ in range(3)]
    assert [ticket.state for ticket in priority] == [State.STARTED, State.STARTED, State.WAITING]
    assert made.end(flex[0], T + 2)[0] == [priority[2]], "what is free for all goes to the earliest deadline"


def test_a_share_that_is_used_is_no_longer_kept_free() -> None:
    made = queue(10, priority=20)
    assert all(made.enter("priority", 0, T).state is State.STARTED for _ in range(10))
    assert made.enter("flex", 0, T).state is State.WAITING


def test_tokens_flow_in_at_their_rate() -> None:
    made = queue(tokens=6_000)
    burst = 6_000 * BURST // MINUTE
    first = made.enter("default", burst + 500, T)
    second = made.enter("default", 100, T)
    assert (first.state, second.state) == (State.STARTED, State.WAITING)
    # 500 tokens too many at 100 a second
    assert made.wake_at(T) == T + 5 * SECOND + 1
    assert made.tick(T + 5 * SECOND) == ([], [])
    assert made.tick(T + 5 * SECOND + 1) == ([second], [])


def test_tokens_that_were_not_used_are_given_back_and_more_are_taken() -> None:
    made = queue(tokens=6_000)
    first = made.enter("default", 2_000, T)
    waiting = made.enter("default", 1, T)
    assert made.end(first, T, 500)[0] == [waiting], "500 of the 1,000 are left"
    made.end(waiting, T, 2_000)
    assert made.enter("default", 1, T).state is State.WAITING


def test_no_minute_has_more_than_its_tokens_and_the_burst() -> None:
    made = queue(tokens=60_000)
    run = simulate(made, [Arrival(T + n * SECOND // 50, "flex", 1, 100) for n in range(6_000)])
    starts = sorted(ticket.started for ticket in run.tickets if ticket.started)
    # the last one borrows
    most = 60_000 * 7 // 6 + 2 * 100
    assert max(100 * sum(start <= each < start + MINUTE for each in starts) for start in starts[::50]) <= most
    assert 100 * sum(each < T + 2 * MINUTE for each in starts) > 0.95 * 2 * 60_000, "and they are used"


def test_who_waits_until_its_deadline_is_let_go() -> None:
    made = queue(1)
    made.enter("default", 0, T)
    waiting = made.enter("priority", 0, T)
    assert made.wake_at(T) == T + PATIENCE["priority"]
    assert made.tick(T + PATIENCE["priority"]) == ([], [waiting])
    assert (waiting.state, len(made)) == (State.EXPIRED, 0)


def test_who_is_let_go_when_another_ends_is_told_too() -> None:
    made = queue(1)
    first = made.enter("default", 0, T)
    late, next_ = made.enter("priority", 0, T), made.enter("default", 0, T)
    assert made.end(first, T + PATIENCE["priority"]) == ([next_], [late])


def test_who_waited_elsewhere_keeps_its_deadline() -> None:
    made = queue(1)
    made.enter("default", 0, T)
    later = made.enter("default", 0, T + 5)
    earlier = made.enter("default", 0, T + 6, since=T)
    assert made.tick(T + PATIENCE["default"])[1] == [earlier]
    assert later.state is State.WAITING


def test_a_request_that_would_come_too_late_is_told_when_to_come_again() -> None:
    made = queue(1)
    running = made.enter("default", 0, T)
    at = T
    for _ in range(3):
        waiting = made.enter("default", 0, at)
        at += 3 * SECOND
        assert made.end(running, at, 1) == ([waiting], [])
        running = waiting
    # a request takes 3 s, and priority waits for 2 s at most
    made.enter("priority", 0, at)
    assert made.too_late("priority", at) == (3 + 3 - 2) * SECOND
    assert made.too_late("default", at) is None


def test_nobody_is_turned_away_on_a_guess_before_anything_was_measured() -> None:
    made = queue(1)
    for _ in range(1_000):
        made.enter("priority", 0, T)
    assert made.too_late("priority", T) is None


def test_tokens_before_it_make_a_request_too_late() -> None:
    made = queue(tokens=6_000)
    for _ in range(5):
        made.enter("default", 1_000, T)
    assert len(made) == 4
    # the first took the burst; 4,000 tokens before it at 100 a second
    assert made.wait("default", T) == 40 * SECOND
    assert made.too_late("default", T) == 20 * SECOND


def test_a_smaller_capacity_takes_nothing_from_who_is_under_way() -> None:
    made = queue(4)
    running = [made.enter("default", 0, T) for _ in range(4)]
    waiting = made.enter("default", 0, T)
    made.capacity.resize(2, 0, {}, at=T)
    assert [made.end(ticket, T)[0] for ticket in running] == [[], [], [waiting], []]
    made.capacity.resize(8, 0, {}, at=T)
    assert made.enter("default", 0, T).state is State.STARTED


@st.composite
def lives(draw: st.DrawFn) -> tuple[Queue, list[Arrival]]:
    shares = draw(st.sampled_from([{}, {"priority": 30}, {"priority": 25, "flex": 25}, {"priority": 100}]))
    slots, tokens = draw(st.integers(0, 6)), draw(st.sampled_from([0, 600, 6_000]))
    at, arrivals = T, []
    for _ in range(draw(st.integers(0, 60))):
        at += draw(st.integers(0, 4 * SECOND))
        tier, service = draw(st.sampled_from(list(PATIENCE))), draw(st.integers(0, 30 * SECOND))
        arrivals.append(Arrival(at, tier, service, draw(st.integers(0, 200)), draw(st.sampled_from([0, 0, 0, SECOND, 40 * SECOND]))))
    return queue(slots, tokens, **shares), arrivals


@given(lives())
def test_every_request_ends_and_no_slot_is_lost(life: tuple[Queue, list[Arrival]]) -> None:
    made, arrivals = life
    run = simulate(made, arrivals)
    assert len(run.tickets) + len(run.rejected) == len(arrivals)
    assert {ticket.state for ticket in run.tickets} <= {State.ENDED, State.EXPIRED}
    assert not any(made.capacity.used.values())
    assert len(made) == 0
    assert not made.capacity.slots or run.most_used <= made.capacity.slots


@given(lives())
def test_nobody_is_overtaken_by_who_came_later_than_the_difference_of_patience(life: tuple[Queue, list[Arrival]]) -> None:
    """No starvation: what may go before a request ends a known while after its arrival."""
    made, arrivals = life
    run = simulate(made, arrivals, reject=False)
    reserved = made.capacity.reserved
    for ticket in run.tickets:
        assert ticket.waited <= PATIENCE[ticket.tier]
        others = [other for other in run.tickets if other.deadline > ticket.deadline and other.tier not in reserved]
        overtaken = [other for other in others if ticket.entered <= other.started < ticket.started and other.entered < ticket.started]
        assert not overtaken


def crowd(seed: int) -> list[Arrival]:
    """Two minutes of flex and default near the capacity of 20 slots, and in the second of them ten times as much of default at once."""
    draw = random.Random(seed)
    arrivals, at = [], T
    while at < T + 120 * SECOND:
        rush = T + 60 * SECOND <= at < T + 75 * SECOND
        at += int(draw.expovariate(150 if rush else 15) * SECOND)
        tier = draw.choices(["priority", "default", "flex"], [1, 14 if rush else 4, 5])[0]
        arrivals.append(Arrival(at, tier, int(draw.expovariate(1) * SECOND)))
    return arrivals


@pytest.mark.parametrize("seed", range(5))
def test_in_a_flash_crowd_priority_keeps_its_promise_and_flex_waits_and_is_served(seed: int) -> None:
    arrivals = crowd(seed)
    made = queue(20, priority=40)
    run = simulate(made, arrivals)
    priority, flex = run.of("priority"), run.of("flex", State.ENDED)
    served = [ticket for ticket in priority if ticket.state is State.ENDED]
    asked = sum(arrival.tier == "priority" for arrival in arrivals)
    quick = sum(ticket.waited < SECOND for ticket in served)
    assert quick > 0.98 * asked, "priority starts within a second"
    waits = sorted(ticket.waited for ticket in flex)
    assert waits[-1] > 10 * SECOND, "flex waits"
    assert waits[-1] <= PATIENCE["flex"]
    assert len(flex) + sum(arrival.tier == "flex" for arrival, _ in run.rejected) == sum(arrival.tier == "flex" for arrival in arrivals)
    assert len(flex) > 0.9 * sum(arrival.tier == "flex" for arrival in arrivals), "and is served"
    for _, pause in run.rejected:
        assert pause >= SECOND


@pytest.mark.parametrize("seed", range(3))
def test_early_rejection_spares_most_of_those_who_would_wait_in_vain(seed: int) -> None:
    arrivals = crowd(seed)
    vain = [len([t for t in simulate(queue(12), arrivals, reject=reject).tickets if t.state is State.EXPIRED]) for reject in (False, True)]
    assert vain[1] < vain[0] / 4
