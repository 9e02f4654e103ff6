"""The neutral form between two wire formats: each format reads it and writes it, so a pair of formats needs nothing of its own.

conversation   a request
answer         an answer, whole or as events
strict         reading a request field by field: what nobody reads cannot be translated, and is named
sides          what a format gives to be a client's or a supplier's
bridge         from a client's format to a supplier's and back

A request is refused where the supplier's format cannot say something that it asks for. An answer cannot be refused: what the client's
format has no place for is left out of it, and docs/formats.md says what that is.
"""
