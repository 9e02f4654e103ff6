"""Tokens counted here, for what no supplier counted: with OpenAI's vocabularies, which `bpe-openai` carries, so that nothing is downloaded.

Other vendors' vocabularies are not public or need a download; for their models the count is an estimate, as good as the vocabularies are alike.
"""

from functools import cache
from importlib import import_module
from types import MappingProxyType

from tokenworth.core.errors import InputError
from tokenworth.flows.serve.wire.text import Count, by_bytes

VOCABULARIES = MappingProxyType({"o200k": "o200k_base", "cl100k": "cl100k_base"})
"""What a book calls a vocabulary, and what its publisher calls it: of GPT-4o and all later ones, and of GPT-4 and GPT-3.5."""


def counter(name: str = "") -> Count:
    """Return what counts tokens: `bytes`, a vocabulary by name, or for no name o200k where it is installed, else bytes.

    InputError where a vocabulary is unknown, or named and not installed.
    """
    if name == "bytes":
        return by_bytes
    if name and name not in VOCABULARIES:
        raise InputError(f"there is no tokenizer {name!r}", mend=f"use {', '.join(VOCABULARIES)} or bytes", code="unknown_tokenizer")
    try:
        return _vocabulary(VOCABULARIES[name or "o200k"])
    except ModuleNotFoundError:
        if not name:
            return by_bytes
        mend = "install the extra: pip install 'tokenworth[tokenizer]'"
        raise InputError(f"the tokenizer {name} needs bpe-openai, which is not installed", mend=mend, code="missing_extra") from None


@cache
def _vocabulary(name: str) -> Count:
    encoding = import_module("bpe_openai").get_encoding(name)

    def count(text: str) -> int:
        # half of a pair of surrogates, which JSON allows and UTF-8 does not, becomes a question mark
        clean = text if text.isascii() else text.encode("utf-8", "replace").decode()
        return len(encoding.encode_ordinary(clean))

    return count
