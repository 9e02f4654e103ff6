"""Who makes the tokens: each supplier implements `flows.ports.Supplier`.

openai      any server that speaks OpenAI's HTTP API, over connections that are reused
anthropic   Anthropic's API, or one like it
body        a request's body as the bytes that a supplier gets
simulated   answers on the same wire format, with counts drawn from a trace: no key, no network
"""
