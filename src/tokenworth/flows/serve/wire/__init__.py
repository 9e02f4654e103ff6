"""Wire formats: what clients say, what suppliers say, and how the one becomes the other.

format      `Format`, what clients speak; `Bridge`, from a client's format to a supplier's and back
find        every format by its name, and the bridge for a format and a supplier
ask         a parsed request, and the bounds that its hold is priced at
fields      readers of a request's fields
tap         reads a supplier's answer on its way to the client
sse         server-sent events: where one ends, what it carries
answer      JSON of suppliers: read, and written again
text        text inside requests and answers, in bytes
unpriceable fields that are refused, since no worst case can be proven for them
openai      what OpenAI's formats share: the shape of errors
usage       usage objects of suppliers
events      what all readers of streams share
whole       what all readers of answers in one piece share
hub/        the neutral form between two formats
chat/       OpenAI's chat completions
messages/   Anthropic's messages
responses/  OpenAI's responses
embeddings  OpenAI's embeddings
"""
