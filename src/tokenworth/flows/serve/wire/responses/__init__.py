"""OpenAI's responses, without what a supplier would have to store.

ask     what a request asks for
same    to suppliers that speak it too: all passes through but our names
read_request, write_request, read_answer, write_answer    to and from the neutral form
"""

from tokenworth.flows.serve.wire import openai
from tokenworth.flows.serve.wire.format import Bridge, Format
from tokenworth.flows.serve.wire.hub.sides import ClientSide, SupplierSide
from tokenworth.flows.serve.wire.responses.ask import API, parse
from tokenworth.flows.serve.wire.responses.read_answer import ResponseReader, read_answer, served_tier
from tokenworth.flows.serve.wire.responses.read_request import read_request
from tokenworth.flows.serve.wire.responses.same import last_event, make_tap, supplier_body
from tokenworth.flows.serve.wire.responses.write_answer import ResponseWriter, write_answer
from tokenworth.flows.serve.wire.responses.write_request import write_request

PATH = "/responses"
FORMAT = Format(API, PATH, parse, openai.error, last_event)
SAME = Bridge(API, PATH, supplier_body, make_tap, openai.refused)
CLIENT = ClientSide(FORMAT, read_request, write_answer, ResponseWriter)
SUPPLIER = SupplierSide(API, PATH, write_request, "output", read_answer, ResponseReader, served_tier)
