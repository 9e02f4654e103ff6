"""Points of serving for tests: one stack unless told otherwise."""

from dataclasses import replace
from typing import Any

from tokenworth.measure.cost.points import Kind, Point, Stack

STACK = Stack(model="llama-3.1-70b", gpu="h100_sxm", engine="vllm", precision="fp8", input_tokens=1024, output_tokens=1024)


def point(speed: float, throughput: float, **more: Any) -> Point:
    """Return a point; what is said of the stack's fields goes there."""
    stack = replace(STACK, **{name: more.pop(name) for name in list(more) if hasattr(STACK, name)})
    defaults: dict[str, Any] = {
        "gpus": 8,
        "parallelism": "tp8",
        "concurrency": throughput * 8 / speed,
        "ttft": 0.1,
        "kind": Kind.MEASURED,
        "source": f"test {speed:g}",
        "measured": "2026-01-01",
        "version": "1",
    }
    return Point(stack=stack, tpot=1 / speed, interactivity=speed, throughput=throughput, **(defaults | more))
