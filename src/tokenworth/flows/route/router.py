"""The members of a mix in the order in which they are asked: who answers before who does not, and among those by affinity and weight."""

from collections.abc import Mapping

from tokenworth.flows.route.affinity import ranked
from tokenworth.flows.route.health import Breaker, Health, Trip


class Router:
    """Health by model; it outlives changes of the book."""

    def __init__(self, trip: Trip | None = None) -> None:
        """Take all members for healthy."""
        self._trip = trip or Trip()
        self._breakers: dict[str, Breaker] = {}

    def breaker(self, model: str) -> Breaker:
        """Return the breaker of a model."""
        found = self._breakers.get(model)
        if found is None:
            found = self._breakers[model] = Breaker(self._trip)
        return found

    def order(self, weights: Mapping[str, int], key: bytes, at: int) -> list[str]:
        """Return models by preference. None is left out: where nobody is healthy, the request itself finds out who answers again."""
        preferred = ranked(key, weights)
        if len(preferred) == 1:
            return preferred
        return sorted(preferred, key=lambda model: self.breaker(model).health(at) is Health.OPEN)

    def healths(self, at: int) -> Mapping[str, Health]:
        """Return where each breaker is."""
        return {model: breaker.health(at) for model, breaker in self._breakers.items()}
