"""Tokens counted here, against OpenAI's tiktoken."""

import gzip
import hashlib
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from typing import Any

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core.errors import InputError
from tokenworth.flows.serve.wire.text import by_bytes
from tokenworth.suppliers import tokens
from tokenworth.suppliers.tokens import VOCABULARIES, counter

PUBLISHED = "https://openaipublic.blob.core.windows.net/encodings"
"""Where OpenAI publishes vocabularies; tiktoken names what it keeps of them by this."""
TEXTS = (
    "What does a token cost to make, and what is it worth?",
    "Größe, naïveté, 東京タワー, Привет мир, नमस्ते, 🙂🏳️‍🌈",
    "def f(x):\n    return {k: v for k, v in x.items() if v}\n" * 50,
    "   \n\n\t  " * 40,
    "1234567890 0.1 + 0.2 == 0.30000000000000004",
    "<|endoftext|> is text here",
)


@pytest.fixture(scope="module", autouse=True)
def _vocabularies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give tiktoken, which would download them, the vocabularies that are installed; it compares them with the digests that OpenAI publishes."""
    folder = tmp_path_factory.mktemp("vocabularies")
    for name in VOCABULARIES.values():
        content = gzip.decompress((files("bpe_openai.data") / f"{name}.tiktoken.gz").read_bytes())
        (folder / hashlib.sha1(f"{PUBLISHED}/{name}.tiktoken".encode()).hexdigest()).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        yield


@pytest.mark.parametrize("name", VOCABULARIES)
def test_as_many_as_tiktoken(name: str) -> None:
    theirs, ours = tiktoken.get_encoding(VOCABULARIES[name]), counter(name)
    for text in (*TEXTS, "".join(TEXTS)):
        assert ours(text) == len(theirs.encode_ordinary(text)), text


@given(st.text())
def test_any_text_is_counted(text: str) -> None:
    assert counter()(text) == len(tiktoken.get_encoding("o200k_base").encode_ordinary(text))


def test_half_a_surrogate_pair_is_counted() -> None:
    assert counter("o200k")("a\ud83d b") == counter("o200k")("a? b")
    assert by_bytes("\ud83d") == 1


def test_bytes_round_up() -> None:
    assert [counter("bytes")(text) for text in ("", "a", "abcd", "abcde", "東京")] == [0, 1, 1, 2, 2]


def test_an_unknown_name_and_an_absent_library_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no tokenizer 'gpt'") as unknown:
        counter("gpt")
    assert unknown.value.code == "unknown_tokenizer"

    def absent(name: str, *rest: Any) -> Any:
        if name == "bpe_openai":
            raise ModuleNotFoundError(name=name)
        return import_module(name, *rest)

    monkeypatch.setattr(tokens, "import_module", absent)
    tokens._vocabulary.cache_clear()
    with pytest.raises(InputError) as missing:
        counter("o200k")
    assert missing.value.code == "missing_extra"
    assert counter() is by_bytes
