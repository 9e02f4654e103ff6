"""A supplier that answers chat completions and embeddings on OpenAI's wire format, with token counts and timing drawn from a real trace.

answer     which trace row, how many tokens
embed      embeddings
timing     when they come, from published measurements
wire       the bytes: one completion, or a stream of chunks
supplier   the port `flows.ports.Supplier`, in process
app        the same supplier as an ASGI application: `tokenworth simulate --port 9000`
"""
