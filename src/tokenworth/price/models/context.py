"""Long-context steps: a request of more input tokens than `above` costs more, the whole of it or only what is above.

Suppliers bill the whole (Anthropic, Google, OpenAI: "prompts above 200k tokens"); only what is above is what tax tables do, and Stripe's and
Lago's graduated tiers. Tokens of a prompt are above by their position, and what the cache knew is at its beginning: prefixes are what caches hold. So
cached tokens fill the steps from below, then those that were written to the cache, then the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tokenworth.core.exact import INT64_MAX, clip, total
from tokenworth.core.units import INPUT_TOKENS, UNITS

Steps = tuple[tuple[Any, Mapping[str, Any]], ...]
"""(above, what it adds to the rates of the step before) by step; ints, or columns of them."""


def _position(name: str) -> int:
    return {"read": 0, "write": 1}.get(dict(UNITS[name].dimensions).get("cache", ""), 2)


IN_ORDER = tuple(sorted(INPUT_TOKENS, key=lambda name: (_position(name), list(UNITS).index(name))))
"""Classes of input tokens in the order in which they stand in a prompt."""


def whole(counts: Mapping[str, Any], billed: Mapping[str, Any], steps: Steps) -> Iterator[Any]:
    """Yield what each step adds where all that is billed of a request is rated at the step that its input reaches."""
    size = total(count for name, count in counts.items() if name in INPUT_TOKENS)
    for above, differences in steps:
        yield clip(size - above, 0, 1) * total(count * differences[name] for name, count in billed.items())


def marginal(counts: Mapping[str, Any], steps: Steps) -> Iterator[Any]:
    """Yield what each step adds where it holds for the tokens above it only; what is not input has the rates of the first step."""
    for above, differences in steps:
        yield from (passed * differences[name] for name, passed in passing(counts, above))


def passing(counts: Mapping[str, Any], above: Any) -> Iterator[tuple[str, Any]]:
    """Yield how many tokens of each class of input stand above a position."""
    end: Any = 0
    before: Any = 0
    for name in IN_ORDER:
        if name in counts:
            end = end + counts[name]
            after = clip(end - above, 0, INT64_MAX)
            yield name, after - before
            before = after
