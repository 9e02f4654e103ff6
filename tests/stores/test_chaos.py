"""A part of what `make chaos` does: kills and power cuts, and that the test of the cuts can fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.kills import ENGINES, Told, kills
from tests.chaos.power import cuts
from tests.support.engines import Sqlite
from tests.support.events import draft, open_ledger


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_acknowledged_survives_a_kill(engine: str) -> None:
    acknowledged, problems = kills(engine, 8, seed=1)
    assert problems == []
    assert acknowledged > 100


def test_what_was_acknowledged_survives_a_power_cut() -> None:
    assert cuts(150, seed=1) == []


@pytest.mark.parametrize("setting", ["OFF", "NORMAL"])
def test_without_a_sync_at_each_commit_it_would_not(setting: str) -> None:
    assert any("is gone" in problem for problem in cuts(40, seed=1, pragma=f"PRAGMA synchronous = {setting}"))


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (lambda told, _: told.hear(f"hold {draft(9).id}"), "was acknowledged and is gone"),
        (lambda told, _: told.hear(f"settle {draft(9).id} 5"), "was acknowledged and is gone"),
        (lambda told, _: told.hear("refund r9"), "was acknowledged and is gone"),
        (lambda _, seen: seen.sums.update({("credits", "used"): 1}), "events and refunds say"),
        (lambda _, seen: seen.accounts.clear(), "0 is left"),
    ],
)
def test_what_is_missing_after_a_kill_is_named(lie: Callable[..., None], named: str) -> None:
    store, told = Sqlite(), Told()
    open_ledger(Path(store.path), ada=10**12, bob=10**12).close()
    seen = store.picture()
    assert list(told.problems(seen)) == []
    lie(told, seen)
    assert any(named in problem for problem in told.problems(seen))
    store.drop()
