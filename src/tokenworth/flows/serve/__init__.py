"""Serve a request: who asks, what it may cost at most, hold that, let the supplier answer, settle what was used.

service    the use-case: one call, one reply
edition    a book and its suppliers, which a request keeps to its end
order      the request in terms of the book: product, card, terms, amount to hold
makers     the models that may serve it
dispatch   where requests go: suppliers, with who is healthy and who waits before each
holds      live holds: placed, kept alive, closed whatever becomes of the request
exchange   one request on its way: held, tried, delivered, settled
tries      its attempts, one after another or two at once
attempt    one of them: sent, read until the client can be given something, read on
count      tokens of a prompt that is not sent
meter      what was used and what it is worth; estimates where no usage came
refusal    every answer that is no answer, with its status and stable code
wire/      what clients and suppliers say: formats, and bridges between them
"""
