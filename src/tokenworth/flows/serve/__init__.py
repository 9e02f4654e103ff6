"""Serve a request: who asks, what it may cost at most, hold that, let the supplier answer, settle what was used.

service    the use-case: one call, one reply
order      the request in terms of the book: product, card, terms, amount to hold
holds      live holds: placed, kept alive, closed whatever becomes of the request
exchange   one request on its way: hold, send, feed, settle, tail
count      tokens of a prompt that is not sent
meter      what was used and what it is worth; estimates where no usage came
refusal    every answer that is no answer, with its status and stable code
wire/      what clients and suppliers say: formats, and bridges between them
"""
