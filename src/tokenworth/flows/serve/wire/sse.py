"""Server-sent events: where one ends, what it carries."""

from tokenworth.core.errors import SupplierError

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""The most of a stream that is kept while waiting for the end of an event."""


class Splitter:
    """Cuts a stream into events, wherever the cuts between its bytes are."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the whole events so far, without their blank lines; one that is cut waits for the rest of it. SupplierError where one is endless."""
        rest = self._rest + chunk
        if b"\r" in rest:
            rest = rest.replace(b"\r\n", b"\n")
        *events, self._rest = rest.split(b"\n\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise SupplierError(f"the supplier sent an event of more than {MAX_EVENT_BYTES} bytes", code="supplier_nonsense")
        return events

    def end(self) -> bytes:
        """Return what is left: an event that lacks its blank line, or that is cut in its middle."""
        rest, self._rest = self._rest, b""
        return rest


def fields(event: bytes) -> tuple[bytes, bytes]:
    """Return an event's data, which is one text however many lines it has, and its other lines: comments and names."""
    if event.startswith(b"data:") and b"\n" not in event:
        return event[5:].strip(), b""
    lines = event.split(b"\n")
    data = b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
    return data.strip(), b"".join(line + b"\n" for line in lines if line and not line.startswith(b"data:"))


def as_it_came(data: bytes, others: bytes) -> bytes:
    """Return an event that is not ours to judge."""
    return others + b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
