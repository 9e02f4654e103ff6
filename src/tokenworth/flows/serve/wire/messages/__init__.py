"""Anthropic's messages.

ask     what a request asks for
same    to suppliers that speak it too: all passes through but our names
errors  the shape of errors
models  the shape of lists of models
"""

from tokenworth.flows.serve.wire.format import Bridge, Format
from tokenworth.flows.serve.wire.messages import errors
from tokenworth.flows.serve.wire.messages.ask import API, parse, parse_count
from tokenworth.flows.serve.wire.messages.same import make_tap, supplier_body

__all__ = ["API", "FORMAT", "PATH", "SAME", "parse_count"]

PATH = "/messages"
FORMAT = Format(API, PATH, parse, errors.error, errors.last_event)
SAME = Bridge(API, PATH, supplier_body, make_tap, errors.refused)
