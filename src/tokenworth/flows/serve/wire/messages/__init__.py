"""Anthropic's messages.

ask     what a request asks for
same    to suppliers that speak it too: all passes through but our names
read_request, write_request, read_answer, write_answer    to and from the neutral form
errors  the shape of errors
betas   which of them are passed on
models  the shape of lists of models
"""

from tokenworth.flows.serve.wire.format import Bridge, Format
from tokenworth.flows.serve.wire.hub.sides import ClientSide, SupplierSide
from tokenworth.flows.serve.wire.messages import errors
from tokenworth.flows.serve.wire.messages.ask import API, parse, parse_count
from tokenworth.flows.serve.wire.messages.betas import passed_on
from tokenworth.flows.serve.wire.messages.read_answer import MessageReader, read_answer, served_tier
from tokenworth.flows.serve.wire.messages.read_request import read_request
from tokenworth.flows.serve.wire.messages.same import make_tap, supplier_body
from tokenworth.flows.serve.wire.messages.write_answer import MessageWriter, write_answer, write_usage
from tokenworth.flows.serve.wire.messages.write_request import write_request

__all__ = ["API", "FORMAT", "PATH", "SAME", "parse_count", "passed_on", "write_usage"]

PATH = "/messages"
FORMAT = Format(API, PATH, parse, errors.error, errors.last_event)
SAME = Bridge(API, PATH, supplier_body, make_tap, errors.refused, passed_on)
CLIENT = ClientSide(FORMAT, read_request, write_answer, MessageWriter)
SUPPLIER = SupplierSide(API, PATH, write_request, "content", read_answer, MessageReader, served_tier)
