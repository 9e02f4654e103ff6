"""Rate limits on a request's way: what it takes of its key's, what headers say of them, and why it must wait."""

from collections.abc import Iterable, Iterator, Mapping

from tokenworth.book.model import UNLIMITED
from tokenworth.core.instants import SECOND, format_instant
from tokenworth.flows.rates import Admitted, Exceeded, Limiter, Standing
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.text import BYTES_PER_TOKEN

FREE = Admitted((), lambda _: None)
TOLD = {
    "requests": "requests a minute",
    "tokens": "tokens a minute",
    "streams": "streams at once",
}
MILLISECOND = 1_000
STREAM_WAIT = SECOND
"""After which a key with too many streams may ask again: when one of them ends nobody knows."""


def admit(limiter: Limiter, ordered: Order) -> Admitted:
    """Take an order out of its key's limits, else Refusal (429)."""
    draft, ask, rates = ordered.draft, ordered.ask, ordered.rates
    if rates == UNLIMITED:
        return FREE
    tokens = -(-ask.size // BYTES_PER_TOKEN) + (ask.output_limit or 0) * ask.choices
    got = limiter.admit(draft.api_key, rates, tokens=tokens, stream=ask.stream, at=draft.at)
    if isinstance(got, Admitted):
        return got
    raise _refusal(got, draft.at, ask.api)


def headers(standings: Iterable[Standing], at: int, api: str) -> dict[str, str]:
    """Return how a key stands to its limits, under the names that OpenAI's clients know, for Anthropic's under theirs too."""
    return {name: value for standing in standings for name, value in _headers(standing, at, api)}


def _headers(standing: Standing, at: int, api: str) -> Iterator[tuple[str, str]]:
    kind, limit, left = standing.kind, str(standing.limit), str(standing.left)
    yield f"x-ratelimit-limit-{kind}", limit
    yield f"x-ratelimit-remaining-{kind}", left
    yield f"x-ratelimit-reset-{kind}", duration(standing.full_in)
    if api == "messages":
        yield f"anthropic-ratelimit-{kind}-limit", limit
        yield f"anthropic-ratelimit-{kind}-remaining", left
        yield f"anthropic-ratelimit-{kind}-reset", format_instant(at + standing.full_in)


def _refusal(exceeded: Exceeded, at: int, api: str) -> Refusal:
    wait = exceeded.wait or STREAM_WAIT
    told: Mapping[str, str] = {
        **headers(exceeded.standings, at, api),
        "retry-after": str(-(-wait // SECOND)),
        "retry-after-ms": str(-(-wait // MILLISECOND)),
    }
    what = f"This key may have {exceeded.limit} {TOLD[exceeded.kind]}. Try again in {duration(wait)}."
    return Refusal(429, "rate_limit_exceeded", what, extra={"type": exceeded.kind}, headers=told)


def duration(microseconds: int) -> str:
    """Return a time as OpenAI writes it, in milliseconds rounded up: 20ms, 1s, 8.64s, 6m0s."""
    total = -(-microseconds // MILLISECOND)
    if total < 1_000:
        return f"{total}ms"
    minutes, left = divmod(total, 60_000)
    seconds, part = divmod(left, 1_000)
    fraction = f".{part:03d}".rstrip("0") if part else ""
    return f"{minutes}m{seconds}{fraction}s" if minutes else f"{seconds}{fraction}s"
