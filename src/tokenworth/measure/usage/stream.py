"""Streams fold into one response, so that they take the path of a whole one.

On OpenAI's wire format (API reference, `stream_options.include_usage`) every chunk may carry `usage`, which is null but in the last. Servers
that state it more than once send running totals, so the last one holds: adding them up would count tokens again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tokenworth.core.errors import UsageError

KEPT = ("model", "service_tier")
"""What else of a chunk changes prices; the last that states it holds."""


def fold(chunks: Iterable[Any]) -> Mapping[str, Any]:
    """Return a response with the usage of a streamed chat completion's chunks, UsageError where no chunk has one."""
    response: dict[str, Any] = {}
    for at, chunk in enumerate(chunks):
        if not isinstance(chunk, Mapping):
            raise UsageError(f"chunk {at} of the stream is {chunk!r}, not an object")
        response |= {name: chunk[name] for name in ("usage", *KEPT) if chunk.get(name) is not None}
    if "usage" not in response:
        raise UsageError("no chunk of the stream has usage", mend="ask for it with stream_options.include_usage")
    return response
