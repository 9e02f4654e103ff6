"""A base URL, and the bytes of a request to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tokenworth.core.errors import InputError

PORTS = {"http": 80, "https": 443}
FIELD = re.compile(r"[\t\x20-\x7e]*")
"""What may stand in a header that we send."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where to connect to, and what each request to it says. `path` is before the paths of requests, without a slash at its end."""

    host: str
    port: int
    secure: bool
    path: str
    headers: bytes

    def post(self, path: str, body: bytes) -> bytes:
        """Return a whole request."""
        return b"POST %b%b HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n%b" % (self.path.encode(), path.encode(), self.headers, len(body), body)


def origin(base_url: str, headers: Mapping[str, str]) -> Origin:
    """Return the origin of a base URL; InputError where it is none, or a header cannot be sent."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in PORTS or parts.query or parts.fragment or not FIELD.fullmatch(base_url) or " " in base_url:
        raise InputError(f"{base_url!r} is no address of a supplier", mend="write https://HOST/PATH", code="bad_url")
    named = f"[{host}]" if ":" in host else host
    authority = named if port in (None, PORTS[parts.scheme]) else f"{named}:{port}"
    every = {"host": authority, **headers}
    for name, value in every.items():
        if not FIELD.fullmatch(value):
            # without the value: it may be a key
            raise InputError(
                f"the header {name} of requests to {host} cannot be sent", mend="look for line breaks in the supplier's key", code="bad_header"
            )
    raw = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return Origin(host, port or PORTS[parts.scheme], parts.scheme == "https", parts.path.rstrip("/"), raw.encode("ascii"))
