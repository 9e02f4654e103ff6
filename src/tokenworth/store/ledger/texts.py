"""Texts that not every engine can store: one in a batch would fail what others ask, so its caller hears of it before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any, get_type_hints

from tokenworth.capture.commands import Command, Hold, Release, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import InputError

_event_texts = attrgetter(*(name for name, kind in get_type_hints(UsageEvent).items() if kind is str))


def check_texts(commands: Sequence[Command]) -> None:
    """InputError `bad_text` where a command holds a text with a NUL character, or half of a surrogate pair."""
    for command in commands:
        text = _joined(command)
        if "\0" in text or not (text.isascii() or _is_unicode(text)):
            name = type(command).__name__
            raise InputError(f"a text of this {name} cannot be stored", mend="leave out NUL and unpaired surrogates", code="bad_text")


def _joined(command: Command) -> str:
    # holds and settlements are on every request's path
    if isinstance(command, Hold):
        return "".join((*_event_texts(command.draft), *command.draft.counts, command.key, command.body))
    if isinstance(command, Settle | Release):
        return "".join((*_event_texts(command.event), *command.event.counts))
    return "".join(_leaves(command))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _leaves(getattr(value, field.name))
    elif isinstance(value, Mapping | tuple):
        for each in value:
            yield from _leaves(each)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
