"""Was the promise of a tier kept: the time to the first token, and the tokens a second that one user sees."""

from dataclasses import dataclass

from tokenworth.core.instants import SECOND


@dataclass(frozen=True, slots=True)
class Promise:
    """What a tier promises: microseconds to the first token, and tokens a second after it; 0 for no promise."""

    first_token: int = 0
    speed: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How an answer came: microseconds from the authorised request to the first token and to the end, output tokens, in a stream or whole."""

    first_token: int
    total: int
    output: int
    stream: bool

    @property
    def speed(self) -> int | None:
        """Tokens a second after the first, of a stream; None where there is nothing to measure."""
        span = self.total - self.first_token
        return (self.output - 1) * SECOND // span if self.stream and self.output > 1 and span > 0 else None


def kept(promise: Promise, pace: Pace) -> bool | None:
    """Return whether a promise was kept; None where nothing was promised that can be seen.

    A whole answer shows no first token, so it is held to the time in which a stream of its length would have ended, where a speed is promised.
    """
    if not pace.stream:
        if not promise.speed:
            return None
        return pace.total * promise.speed <= promise.first_token * promise.speed + pace.output * SECOND
    if not promise.first_token and not promise.speed:
        return None
    in_time = not promise.first_token or pace.first_token <= promise.first_token
    # without a division, so that a speed of just as much as was promised is enough
    fast = not promise.speed or (pace.output - 1) * SECOND >= promise.speed * (pace.total - pace.first_token)
    return in_time and (fast or pace.output <= 1)
