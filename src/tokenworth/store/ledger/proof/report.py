"""What a proof checked, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tokenworth.core.money import format_amount

MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, what is wrong, and the closing balance (nano-units) of every account by unit; no problem is the proof."""

    problems: list[str]
    accounts: int = 0
    lots: int = 0
    holds: int = 0
    postings: int = 0
    events: int = 0
    corrections: int = 0
    balances: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line of what was checked."""
        units = sorted({unit for unit, _ in self.balances})
        sums = ", ".join(f"{unit} {format_amount(sum(n for (u, _), n in self.balances.items() if u == unit))}" for unit in units)
        return (
            f"{self.postings:,} postings, {self.events:,} events, {self.accounts:,} accounts, {self.lots:,} lots, {self.holds:,} holds "
            f"and {self.corrections:,} corrections agree; sums: {sums or 'nothing posted'}."
        )


class Findings:
    """Problems as they are found; past MOST_PROBLEMS it only says that there are more."""

    def __init__(self) -> None:
        """Begin with none."""
        self.problems: list[str] = []

    def say(self, problem: str) -> None:
        """Note a problem."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        elif len(self.problems) == MOST_PROBLEMS:
            self.problems.append("... and more")

    def same(self, what: str, stored: int, **derived: int) -> None:
        """Note where what is stored differs from what something else says."""
        for source, value in derived.items():
            if value != stored:
                self.say(f"{what} is {stored}, the {source} say {value}")
