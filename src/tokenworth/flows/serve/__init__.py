"""Serve a request: who asks, what it may cost at most, hold that, let the supplier answer, settle what was used.

service    the use-case: one call, one reply
ask        what a request asks for, and the bounds that its hold is priced at
unpriceable    fields that are refused, since no worst case can be proven for them
order      the request in terms of the book: product, card, terms, amount to hold
holds      live holds: placed, kept alive, closed whatever becomes of the request
exchange   one request on its way: hold, send, feed, settle, tail
chat       OpenAI's wire format: what goes to the supplier, and taps that read the answer
meter      what was used and what it is worth; estimates where no usage came
text       text inside messages, in bytes
refusal    every answer that is no answer, with its status and stable code
"""
