"""OpenAI's chat completions.

ask     what a request asks for
same    to suppliers that speak it too: all passes through but our names
read_request, write_request, read_answer, write_answer    to and from the neutral form
"""

from tokenworth.flows.serve.wire import openai
from tokenworth.flows.serve.wire.chat.ask import API, parse
from tokenworth.flows.serve.wire.chat.read_answer import ChatReader, read_answer, served_tier
from tokenworth.flows.serve.wire.chat.read_request import read_request
from tokenworth.flows.serve.wire.chat.same import make_tap, supplier_body
from tokenworth.flows.serve.wire.chat.write_answer import ChatWriter, write_answer
from tokenworth.flows.serve.wire.chat.write_request import write_request
from tokenworth.flows.serve.wire.format import Bridge, Format
from tokenworth.flows.serve.wire.hub.sides import ClientSide, SupplierSide

PATH = "/chat/completions"
FORMAT = Format(API, PATH, parse, openai.error, openai.last_event)
SAME = Bridge(API, PATH, supplier_body, make_tap, openai.refused)
CLIENT = ClientSide(FORMAT, read_request, write_answer, ChatWriter)
SUPPLIER = SupplierSide(API, PATH, write_request, "choices", read_answer, ChatReader, served_tier)
