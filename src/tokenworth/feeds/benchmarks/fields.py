"""Fields of other people's JSON: found by path, numbers only where they are numbers."""

import math
from collections.abc import Mapping
from typing import Any


def at(data: Any, *path: str | int) -> Any:
    """Return what stands at a path of keys and positions, None where the path breaks off."""
    for step in path:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def number(data: Any, *path: str | int) -> float | None:
    """Return the finite positive number at a path, else None: tools write 0 where they measured nothing."""
    value = at(data, *path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return None
    return float(value)


def count(data: Any, *path: str | int) -> int | None:
    """Return the positive number at a path, to the nearest whole one, else None."""
    value = number(data, *path)
    return None if value is None else max(1, round(value))


def text(data: Any, *path: str | int) -> str | None:
    """Return the text at a path, None where there is none or it says nothing."""
    value = at(data, *path)
    return value if isinstance(value, str) and value else None


def seconds(milliseconds: float | None) -> float | None:
    """Return seconds."""
    return None if milliseconds is None else milliseconds / 1000


def ratio(over: float | None, under: float | None) -> float | None:
    """Return a quotient where both numbers are there."""
    return over / under if over and under else None


def engine(said: str | None) -> str | None:
    """Return the engine that a tool's word for a backend or framework names, such as `dynamo-trt` or `sglang-oai`, else None."""
    words = (said or "").lower().replace("_", "-").split("-")
    for name, forms in {"vllm": ("vllm",), "sglang": ("sglang",), "trtllm": ("trtllm", "trt", "tensorrt")}.items():
        if any(form in words for form in forms):
            return name
    return None
