"""How an event's charge was paid, and what stands of repayments, from what was posted."""

import pytest

from tokenworth.store.ledger.facts import remaining, repayments

Parts = list[tuple[str, int]]


@pytest.mark.parametrize(
    ("moves", "standing"),
    [
        ([], []),
        ([("a", 5), ("b", 3)], [("a", 5), ("b", 3)]),
        # a refund undoes the last first, however it was written
        ([("a", 5), ("b", 3), ("b", -2)], [("a", 5), ("b", 1)]),
        ([("a", 5), ("b", 3), ("b", -3), ("a", -1)], [("a", 4)]),
        ([("a", 5), ("b", 3), ("b", -3), ("c", 2), ("c", -1)], [("a", 5), ("c", 1)]),
        ([("a", 5), ("a", -5), ("b", 1)], [("b", 1)]),
    ],
)
def test_repayments(moves: Parts, standing: Parts) -> None:
    assert list(repayments(moves)) == standing


@pytest.mark.parametrize(
    ("refunded", "left"),
    [(0, [("a", 5), ("", 2), ("b", 3)]), (1, [("a", 5), ("", 2), ("b", 2)]), (3, [("a", 5), ("", 2)]), (6, [("a", 4)]), (10, [])],
)
def test_what_of_a_charge_is_left_after_refunds(refunded: int, left: Parts) -> None:
    assert list(remaining([("a", 5), ("", 2), ("b", 3)], refunded)) == left
