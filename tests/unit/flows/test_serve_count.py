"""Tokens of a prompt that is not sent, of products behind which several models stand."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from tests.support.mixing import UNREACHABLE, Answer, Scripted, bench, mix
from tests.support.shop import upstream
from tokenworth.book.model import Book
from tokenworth.flows.serve.edition import Edition
from tokenworth.flows.serve.service import Call

BODY = orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "four words of prompt"}]})
COUNTED = Answer(pieces=[b'{"input_tokens": 14}'])
ESTIMATED = 5
"""Of 20 bytes."""


def anthropics(made: Book, *names: str) -> Book:
    """Some suppliers speak Anthropic's messages, which can count."""
    told = {name: replace(upstream("http://nowhere", speaks="messages"), id=name) for name in names}
    return replace(made, suppliers={**made.suppliers, **told})


@pytest.mark.parametrize(
    ("weights", "speaking", "answers", "expected", "asked"),
    [
        ({"a": 1, "b": 3}, "b", {"b": COUNTED}, (14, "supplier"), "b"),
        ({"a": 3, "b": 1}, "b", {"b": COUNTED}, (14, "supplier"), "b"),
        # weight 0: only where no other answers
        ({"a": 0, "b": 1}, "ab", {"a": COUNTED, "b": COUNTED}, (14, "supplier"), "b"),
        ({"a": 1, "b": 2}, "ab", {"a": COUNTED, "b": Answer(error=UNREACHABLE)}, (14, "supplier"), "ab"),
        ({"a": 1, "b": 2}, "ab", {"a": Answer(status=500), "b": Answer(status=500)}, (ESTIMATED, "estimate"), "ab"),
        ({"a": 1, "b": 1}, "", {}, (ESTIMATED, "estimate"), ""),
    ],
)
async def test_whoever_of_a_mix_can_count_is_asked(
    weights: dict[str, int], speaking: str, answers: dict[str, Answer], expected: tuple[int, str], asked: str
) -> None:
    suppliers = {name: Scripted([answers.get(name, Answer())]) for name in weights}
    async with bench(anthropics(mix(weights), *speaking), suppliers) as at:
        counted = await at.service.count_tokens(Call("s", BODY))
    assert (counted.tokens, counted.by) == expected
    assert "".join(name for name, supplier in suppliers.items() if supplier.seen) == asked
    assert not at.ledger.events


async def test_a_supplier_that_counts_is_not_closed_under_it_when_the_book_changes() -> None:
    made, slow, other = anthropics(mix({"a": 1}), "a"), Scripted([replace(COUNTED, wait=0.1)]), Scripted([COUNTED])
    async with bench(made, {"a": slow}) as at:
        counting = asyncio.create_task(at.service.count_tokens(Call("s", BODY)))
        await asyncio.sleep(0.02)
        at.service.change(Edition(at.service.edition.shop, {"a": other}))
        await asyncio.sleep(0.02)
        assert not slow.closed
        assert (await counting).by == "supplier"
        await asyncio.sleep(0.02)
        assert slow.closed
