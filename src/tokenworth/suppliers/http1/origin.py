"""A base URL, and the bytes of a request to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tokenworth.core.errors import InputError

PORTS = {"http": 80, "https": 443}
FIELD = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""What may stand in a header that we send."""
URL = re.compile(r"[\x21-\x7e]*")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where to connect to, and what each request to it says. `path` is before the paths of requests, without a slash at its end."""

    host: str
    port: int
    secure: bool
    path: str
    headers: bytes

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Return a whole request, with headers of its own beside the origin's; InputError where one cannot be sent."""
        every = self.headers + _raw(headers, self.host) if headers else self.headers
        return b"POST %b%b HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n%b" % (self.path.encode(), path.encode(), every, len(body), body)


def origin(base_url: str, headers: Mapping[str, str]) -> Origin:
    """Return the origin of a base URL; InputError where it is none, or a header cannot be sent."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in PORTS or parts.query or parts.fragment or not URL.fullmatch(base_url):
        raise InputError(f"{base_url!r} is no address of a supplier", mend="write https://HOST/PATH", code="bad_url")
    named = f"[{host}]" if ":" in host else host
    authority = named if port in (None, PORTS[parts.scheme]) else f"{named}:{port}"
    raw = _raw({"host": authority, **headers}, host)
    return Origin(host, port or PORTS[parts.scheme], parts.scheme == "https", parts.path.rstrip("/"), raw)


def _raw(headers: Mapping[str, str], host: str) -> bytes:
    for name, value in headers.items():
        if not FIELD.fullmatch(value):
            # without the value: it may be a key
            what = f"the header {name} of requests to {host} cannot be sent"
            raise InputError(what, mend="look for line breaks in the supplier's key", code="bad_header")
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
