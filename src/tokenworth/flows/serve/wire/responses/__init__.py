"""OpenAI's responses, without what a supplier would have to store.

ask     what a request asks for
same    to suppliers that speak it too: all passes through but our names
"""

from tokenworth.flows.serve.wire import openai
from tokenworth.flows.serve.wire.format import Bridge, Format
from tokenworth.flows.serve.wire.responses.ask import API, parse
from tokenworth.flows.serve.wire.responses.same import last_event, make_tap, supplier_body

PATH = "/responses"
FORMAT = Format(API, PATH, parse, openai.error, last_event)
SAME = Bridge(API, PATH, supplier_body, make_tap, openai.refused)
