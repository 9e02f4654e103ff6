"""Callers that wait on an event loop, and the batches that a writer makes of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tokenworth.capture.commands import Command, Result

MOST_COMMANDS = 512
"""Commands a batch: bounds how long an event loop decides at a stretch, and how long the first of them waits."""

Outcome = list[Result] | Exception


@dataclass(slots=True)
class Ask:
    """One caller's commands, the future that waits for their results, and how often it was put off."""

    commands: Sequence[Command]
    future: "asyncio.Future[list[Result]]"
    deferrals: int = 0


def take(queue: Sequence[Ask]) -> tuple[list[Ask], list[Ask]]:
    """Split a queue into the next batch, of whole callers up to MOST_COMMANDS, and the rest; a larger caller goes alone."""
    size, number = 0, 0
    for ask in queue:
        size += len(ask.commands)
        if number and size > MOST_COMMANDS:
            break
        number += 1
    return list(queue[:number]), list(queue[number:])


def commands_of(batch: Sequence[Ask]) -> list[Command]:
    """Return a batch's commands in order."""
    return [command for ask in batch for command in ask.commands]


def shares(batch: Sequence[Ask], outcome: Outcome) -> list[Outcome]:
    """Return each caller's part of a batch's outcome."""
    if isinstance(outcome, Exception):
        return [outcome] * len(batch)
    results = iter(outcome)
    return [[next(results) for _ in ask.commands] for ask in batch]


def resolve(batch: Sequence[Ask], outcomes: Sequence[Outcome]) -> None:
    """Answer each caller that still waits."""
    for ask, outcome in zip(batch, outcomes, strict=True):
        if ask.future.done():
            continue
        if isinstance(outcome, Exception):
            ask.future.set_exception(outcome)
        else:
            ask.future.set_result(outcome)
