"""Tokenworth: measure, price, capture and decide, for whoever sells AI by the token."""

from importlib.metadata import version

__version__ = version("tokenworth")
