"""One use as another system tells it, typed: what every reader of foreign usage makes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import orjson

from tokenworth.core.errors import Problem
from tokenworth.core.ids import digest, imported_id
from tokenworth.price.card import DEFAULT_TIER


@dataclass(frozen=True, slots=True)
class Reported:
    """A use. `source` and `id` together name it for ever; instants are UTC microseconds, `counts` disjoint, by unit.

    `at` is when it was asked for, and what it is rated at; `ended` when it was over.
    """

    source: str
    id: str
    customer: str
    feed: str
    """Which reader made it: the event's `api`."""
    at: int
    ended: int
    counts: Mapping[str, int]
    product: str = ""
    """Id of a product of the book; empty where `asked` and `served` must tell."""
    asked: tuple[str, ...] = ()
    """Names under which it was asked for: of a product, or of a model."""
    served: tuple[str, ...] = ()
    """Names of the model that served it, the most certain first."""
    tier: str = DEFAULT_TIER
    api_key: str = ""
    project: str = ""
    first_token: int = 0
    """Microseconds from `at` to the first byte; 0 where it is not known."""
    estimated: bool = False
    """Whether the other system guessed the counts."""
    failed: bool = False
    """Whether it failed without having used anything."""
    from_cache: bool = False
    """Whether a cache of answers gave it, so that no supplier made it."""

    @property
    def event(self) -> str:
        """The id of its usage event."""
        return imported_id(self.source, self.id)

    @property
    def key(self) -> str:
        """What the ledger keeps to say whose event it is; a line break is in no idempotency key that HTTP can carry."""
        return f"{self.source}\n{self.id}"

    @property
    def body(self) -> str:
        """The digest of all that it says: the same again is the same use, anything else under its name is not."""
        return digest(orjson.dumps({name: _plain(getattr(self, name)) for name in CONTENT}, option=orjson.OPT_SORT_KEYS))


CONTENT = tuple(field.name for field in fields(Reported) if field.name not in ("source", "id", "feed"))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader made of one record: a use, or what is wrong with it; neither where it tells of no use at all.

    `number` counts records, or lines of a file, from 1; `source` and `id` are as far as they could be read.
    """

    number: int
    source: str = ""
    id: str = ""
    found: Reported | None = None
    problems: tuple[Problem, ...] = ()
