"""A request's body as the bytes that a supplier gets."""

from tokenworth.flows.exact_json import encode

__all__ = ["encode"]
