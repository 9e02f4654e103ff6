"""A ledger that is watched: every hold, settlement and record goes through it, so nobody on a request's path needs to count."""

from collections.abc import Callable, Sequence

from tokenworth.capture.commands import Command, Done, Expire, Hold, Record, Refused, Release, Result, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.flows.observe.current import CURRENT, Seen
from tokenworth.flows.observe.meters import Meters
from tokenworth.flows.ports import Ledger

Told = Callable[[UsageEvent, Seen | None], None]
"""Hears of each event that this process closed, with the request that made it, where one did."""


def _nobody(_: UsageEvent, __: Seen | None) -> None:
    pass


class WatchedLedger:
    """A ledger with meters; `elapsed` is a clock in seconds that only goes forward."""

    def __init__(self, ledger: Ledger, meters: Meters, elapsed: Callable[[], float], *, told: Told = _nobody) -> None:
        """Watch a ledger."""
        self._ledger = ledger
        self._meters = meters
        self._elapsed = elapsed
        self._told = told

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        """Submit, and count what came of it."""
        meters, begun = self._meters, self._elapsed()
        meters.queue += len(commands)
        seen = CURRENT.get()
        if seen is not None and commands and isinstance(first := commands[0], Hold):
            # before it is decided: of what is refused, product and tier are known too
            seen.draft = first.draft
        try:
            results = await self._ledger.submit(commands)
        except Exception:
            meters.failures += 1
            raise
        finally:
            meters.queue -= len(commands)
        meters.commit.observe((), self._elapsed() - begun)
        for command, result in zip(commands, results, strict=True):
            self._count(command, result, seen)
        return results

    def _count(self, command: Command, result: Result, seen: Seen | None) -> None:
        meters = self._meters
        if isinstance(command, Hold):
            if isinstance(result, Refused):
                meters.hold_refused(result)
            elif not result.repeated:
                meters.hold_placed(command.draft, command.amount)
        elif isinstance(command, Settle | Release):
            # who waited for the first may have left before it was counted
            first = meters.hold_ended(command.event.id)
            self._stored(result, seen, served=True, first=first)
        elif isinstance(command, Record):
            self._stored(result, None, served=False)
        elif isinstance(command, Expire) and isinstance(result, Done):
            for event in result.lost:
                meters.hold_ended(event.id)
                meters.stored(event, served=True)
                self._told(event, None)

    def _stored(self, result: Result, seen: Seen | None, *, served: bool, first: bool = False) -> None:
        if isinstance(result, Done) and result.event is not None and (first or not result.repeated):
            self._meters.stored(result.event, served=served)
            if served:
                self._told(result.event, seen)
