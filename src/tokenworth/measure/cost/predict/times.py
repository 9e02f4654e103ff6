"""What a prediction says of one deployment at one load, whichever way it was made."""

from dataclasses import dataclass, replace

from tokenworth.measure.cost.points import Kind, Point, Stack
from tokenworth.measure.cost.predict.layout import Layout
from tokenworth.measure.cost.table import ANSWERED


@dataclass(frozen=True, slots=True)
class Times:
    """What one request is predicted to take, at a steady load.

    Attributes:
        ttft: seconds to the first token.
        tpot: seconds between output tokens.
        fits: whether the cache of all requests under way fits into memory; where it does not, some wait.
    """

    ttft: float
    tpot: float
    fits: bool = True


@dataclass(frozen=True, slots=True)
class Expected:
    """Times of a stack on a layout with so many requests under way."""

    stack: Stack
    layout: Layout
    concurrency: float
    times: Times

    def point(self, kind: Kind, source: str) -> Point:
        """Return it as a point, its throughput by Little's law over answers of the mean length that measurements have."""
        tokens = ANSWERED * self.stack.output_tokens
        return Point(
            stack=self.stack,
            gpus=self.layout.gpus,
            parallelism=str(self.layout),
            concurrency=self.concurrency,
            ttft=self.times.ttft,
            tpot=self.times.tpot,
            interactivity=1 / self.times.tpot,
            throughput=self.concurrency * tokens / (self.times.ttft + self.times.tpot * tokens) / self.layout.gpus,
            kind=kind,
            source=source,
        )


def faster(point: Point, factor: float) -> Point:
    """Return the point with all its times divided by a factor, and so its speed and throughput multiplied."""
    return replace(
        point,
        ttft=point.ttft / factor,
        tpot=point.tpot / factor,
        interactivity=point.interactivity * factor,
        throughput=point.throughput * factor,
    )
