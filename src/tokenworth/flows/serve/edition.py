"""An edition of the book with its suppliers: each request keeps the one that it began with, and suppliers close when none needs them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from tokenworth.flows.ports import Supplier
from tokenworth.flows.serve.order import Shop


@dataclass(slots=True, eq=False)
class Edition:
    """A shop and its suppliers. `idle` is set while no request uses it."""

    shop: Shop
    suppliers: Mapping[str, Supplier]
    users: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Nobody uses it."""
        self.idle.set()

    def enter(self) -> None:
        """Count a request, which must leave."""
        self.users += 1
        if self.users == 1:
            self.idle.clear()

    def leave(self) -> None:
        """Note that a request is over."""
        self.users -= 1
        if not self.users:
            self.idle.set()
