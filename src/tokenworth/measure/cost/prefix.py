"""How much of the prompts a prefix cache of a given size holds: a replay of block hashes through a cache that drops what was used least recently."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as a chain of hashed blocks: equal hashes mean equal tokens, and equal tokens before them."""

    tokens: int
    blocks: Sequence[int]


def hits(prompts: Sequence[Prompt], block: int, capacity: int | None = None) -> Iterator[int]:
    """Yield how many leading tokens of each prompt are cached when it comes, in its turn.

    Args:
        prompts: in order of arrival.
        block: tokens of a block; the last of a prompt may be part of one.
        capacity: tokens that the cache holds; whole blocks of them are used. None: all.

    A prefix outlives what follows it: of one prompt the last block is the first to go.
    """
    room = None if capacity is None else capacity // block
    cache: OrderedDict[int, None] = OrderedDict()
    for prompt in prompts:
        known = next((at for at, name in enumerate(prompt.blocks) if name not in cache), len(prompt.blocks))
        yield min(known * block, prompt.tokens)
        for name in reversed(prompt.blocks):
            cache[name] = None
            cache.move_to_end(name)
        while room is not None and len(cache) > room:
            cache.popitem(last=False)


def hit_rate(prompts: Sequence[Prompt], block: int, capacity: int | None = None) -> float:
    """Return the share of all input tokens that the cache held."""
    return sum(hits(prompts, block, capacity)) / sum(prompt.tokens for prompt in prompts)
