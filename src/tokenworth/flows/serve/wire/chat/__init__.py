"""OpenAI's chat completions.

ask     what a request asks for
same    to suppliers that speak it too: all passes through but our names
"""

from tokenworth.flows.serve.wire import openai
from tokenworth.flows.serve.wire.chat.ask import API, parse
from tokenworth.flows.serve.wire.chat.same import make_tap, supplier_body
from tokenworth.flows.serve.wire.format import Bridge, Format

PATH = "/chat/completions"
FORMAT = Format(API, PATH, parse, openai.error, openai.last_event)
SAME = Bridge(API, PATH, supplier_body, make_tap, openai.refused)
