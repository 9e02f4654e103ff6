"""Laws of the wire formats: what the neutral form claims, each format says and reads again; and a stream says what the whole answer says."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.shop import model
from tokenworth.flows.serve.wire import chat, messages, responses
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.hub.answer import Answer, End, Event, Grow, Head, Made, Open, Prove, Start, Stop
from tokenworth.flows.serve.wire.hub.conversation import (
    Cache,
    Call,
    Conversation,
    Declined,
    Media,
    Part,
    Reasoning,
    Result,
    Shape,
    Text,
    Tool,
    Turn,
)
from tokenworth.flows.serve.wire.hub.sides import ClientSide, SupplierSide
from tokenworth.flows.serve.wire.usage import read_usage
from tokenworth.measure.usage.counts import Usage

SIDES: dict[str, tuple[ClientSide, SupplierSide]] = {
    "chat": (chat.CLIENT, chat.SUPPLIER),
    "messages": (messages.CLIENT, messages.SUPPLIER),
    "responses": (responses.CLIENT, responses.SUPPLIER),
}
MODEL = model("m", "s", max_output=1_000)
PARSE: dict[str, Callable[[bytes], Ask]] = {name: client.format.parse for name, (client, _) in SIDES.items()}

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
NAMES = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
BASE64 = st.from_regex(r"[A-Za-z0-9+/]{4,16}", fullmatch=True)
OBJECTS = st.dictionaries(NAMES, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS, max_size=3)
SCHEMAS = st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(NAMES, st.just({"type": "string"}), max_size=2)})
URLS = st.sampled_from(["https://example.com/a.png", "http://example.com/b"])


def caches(api: str) -> st.SearchStrategy[Cache | None]:
    lifetimes = ("", "1h") if api == "messages" else ("", "30m", "12h")
    return st.none() | st.sampled_from(lifetimes).map(Cache)


def texts(api: str) -> st.SearchStrategy[Text]:
    return st.builds(Text, WORDS, caches(api))


def media(api: str) -> st.SearchStrategy[Media]:
    """Return images everywhere, and documents as each format has them."""
    marks = caches(api)
    details = st.just("") if api == "messages" else st.sampled_from(["", "low", "high"])
    images = [
        st.builds(Media, st.just("image"), url=URLS, detail=details, cache=marks),
        st.builds(Media, st.just("image"), media_type=st.just("image/png"), data=BASE64, detail=details, cache=marks),
    ]
    names = st.just("") | NAMES
    documents = [st.builds(Media, st.just("document"), media_type=st.just("application/pdf"), data=BASE64, name=names, cache=marks)]
    if api != "chat":
        documents.append(st.builds(Media, st.just("document"), url=URLS, name=names, cache=marks))
    return st.one_of(*images, *documents)


THOUGHTS = st.builds(Reasoning, WORDS, BASE64) | st.builds(Reasoning, st.just(""), BASE64, st.just(True))
CALLS = st.builds(Call, NAMES, NAMES, OBJECTS.map(lambda made: orjson.dumps(made).decode()))


def turns(api: str) -> st.SearchStrategy[tuple[Turn, ...]]:
    """Return turns in the order in which formats have the parts of one."""
    system = st.builds(Turn, st.just("system"), st.lists(texts(api), min_size=1, max_size=2).map(tuple))
    user = st.builds(Turn, st.just("user"), st.lists(texts(api) | media(api), min_size=1, max_size=3).map(tuple))
    said = texts(api) if api != "responses" else st.builds(Text, WORDS)
    parts: st.SearchStrategy[tuple[Part, ...]] = st.tuples(
        st.lists(THOUGHTS, max_size=2), st.lists(said, max_size=2), st.lists(CALLS, max_size=2)
    ).map(lambda found: tuple(part for group in found for part in group))
    assistant = st.builds(Turn, st.just("assistant"), parts.filter(bool))
    inside = texts(api) if api == "chat" else texts(api) | media(api)
    errors = st.booleans() if api == "messages" else st.just(False)
    marks = caches(api) if api == "messages" else st.none()
    result = st.builds(Result, NAMES, st.lists(inside, max_size=2).map(tuple), errors, marks)
    tool = result.map(lambda made: Turn("tool", (made,)))
    rest = st.lists(user | assistant | tool, min_size=1, max_size=5)
    return st.tuples(st.lists(system, max_size=1), rest).map(lambda found: ungrouped([*found[0], *found[1]]))


def ungrouped(found: list[Turn]) -> tuple[Turn, ...]:
    """Leave out a turn of the assistant that follows another: they are one."""
    kept: list[Turn] = []
    for turn in found:
        if not (kept and kept[-1].role == turn.role == "assistant"):
            kept.append(turn)
    return tuple(kept)


@st.composite
def conversations(draw: st.DrawFn, api: str) -> Conversation:
    """Return what a format can say."""
    openai = api != "messages"
    named = draw(st.lists(NAMES, max_size=2, unique=True))
    marks = st.none() if openai else caches(api)
    stricts = st.booleans() if api == "responses" else st.none() | st.booleans() if openai else st.none() | st.just(True)
    tools = tuple(Tool(name, draw(st.just("") | WORDS), draw(SCHEMAS), draw(stricts), draw(marks)) for name in named)
    choice = draw(st.sampled_from(["", "auto", "none", "required", "only"])) if tools else ""
    parallel = draw(st.none() | st.booleans()) if tools and choice != "none" else None
    if api == "messages" and parallel and not choice:
        parallel = None
    if api == "messages" and parallel is False and not choice:
        choice = "auto"
    shapes = st.builds(Shape, SCHEMAS, NAMES, st.just("") | WORDS, strict=st.booleans()) | st.just(Shape()) if openai else st.builds(Shape, SCHEMAS)
    effort = draw(st.sampled_from(["", "none", "low", "high"] if openai else ["", "low", "max"]))
    return Conversation(
        turns=draw(turns(api)),
        tools=tools,
        choice=choice,
        chosen=named[0] if choice == "only" else "",
        parallel=parallel,
        output_limit=draw(st.integers(1, 900) if not openai else st.none() | st.integers(1, 900)),
        temperature=draw(st.none() | st.sampled_from([0, 0.5, 1])),
        top_p=draw(st.none() | st.just(0.9)),
        top_k=None if openai else draw(st.none() | st.integers(1, 50)),
        stop=() if api == "responses" else tuple(draw(st.lists(WORDS, max_size=2))),
        shape=draw(st.none() | shapes),
        effort=effort,
        thinking=draw(st.sampled_from(["", "adaptive"])) if not openai else "adaptive" if effort not in ("", "none") else "",
        verbosity=draw(st.sampled_from(["", "low"])) if openai else "",
        user=draw(st.just("") | NAMES),
        metadata=draw(st.none() | st.dictionaries(NAMES, NAMES, min_size=1, max_size=2)) if openai else None,
        cache_key=draw(st.just("") | NAMES) if openai else "",
    )


@pytest.mark.parametrize("api", SIDES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_request_that_is_written_is_read_again_as_it_was(api: str, data: st.DataObject) -> None:
    client, supplier = SIDES[api]
    said = data.draw(conversations(api))
    bare = PARSE[api](orjson.dumps({"model": "p", "messages": [{"role": "user"}], "input": "hi", "max_tokens": 1}))
    written = supplier.write_request(said, bare, MODEL)
    ask = PARSE[api](orjson.dumps(written))
    assert client.read_request(ask) == said
    assert supplier.write_request(client.read_request(ask), replace(ask, product="m"), MODEL) == written


ANSWER_PARTS: st.SearchStrategy[tuple[Made, ...]] = st.tuples(
    st.lists(THOUGHTS, max_size=2), st.lists(st.builds(Text, WORDS), max_size=1), st.lists(CALLS, max_size=3)
).map(lambda found: tuple(part for group in found for part in group))
ENDS = {
    "chat": [Stop.END, Stop.LIMIT, Stop.CALLS, Stop.DECLINED],
    "messages": list(Stop),
    "responses": [Stop.LIMIT, Stop.DECLINED],
}
"""Why an answer ended, as each format tells it; a response only tells calls from an end by what is in it."""


def answers(api: str) -> st.SearchStrategy[Answer]:
    return st.builds(Answer, NAMES, ANSWER_PARTS.filter(bool), st.sampled_from(ENDS[api]))


def head(api: str) -> Head:
    ask = PARSE[api](orjson.dumps({"model": "p", "messages": [{"role": "user"}], "input": "hi", "max_tokens": 1}))
    return Head(ask, 1, "default")


def events(answer: Answer) -> Iterable[Event]:
    """Stream an answer, its texts in two pieces."""
    yield Start(answer.id)
    for part in answer.parts:
        if isinstance(part, Reasoning) and part.redacted:
            yield Open(part)
            continue
        text = part.arguments if isinstance(part, Call) else part.text
        yield Open(replace(part, arguments="") if isinstance(part, Call) else type(part)(""))
        yield from (Grow(piece) for piece in (text[: len(text) // 2], text[len(text) // 2 :]) if piece)
        if isinstance(part, Reasoning):
            yield Prove(part.proof)
    yield End(answer.stop)


def folded(found: Iterable[Event]) -> Answer:
    """Return the answer that events make."""
    name, parts, stop = "", [], Stop.END
    for event in found:
        if isinstance(event, Start):
            name = event.id
        elif isinstance(event, Open):
            parts.append(event.part)
        elif isinstance(event, End):
            stop = event.stop
        else:
            parts[-1] = grown(parts[-1], event)
    return Answer(name, tuple(parts), stop)


def grown(part: Made, event: Grow | Prove) -> Made:
    if isinstance(event, Prove):
        assert isinstance(part, Reasoning)
        return replace(part, proof=event.proof)
    if isinstance(part, Call):
        return replace(part, arguments=part.arguments + event.text)
    assert isinstance(part, Text | Reasoning | Declined)
    return replace(part, text=part.text + event.text)


USAGES = st.fixed_dictionaries({name: st.integers(1, 1000) for name in ("input", "cache_read", "output", "reasoning")}).map(Usage)


@pytest.mark.parametrize("api", SIDES)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), usage=USAGES)
def test_a_whole_answer_that_is_written_is_read_again_as_it_was(api: str, data: st.DataObject, usage: Usage) -> None:
    client, supplier = SIDES[api]
    answer = data.draw(answers(api))
    written: Any = orjson.loads(orjson.dumps(client.write_answer(answer, usage, head(api))))
    assert supplier.read_answer(written) == answer
    assert read_usage(MODEL, api, written["usage"]) == usage


@pytest.mark.parametrize("api", SIDES)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), usage=USAGES)
def test_a_stream_says_what_the_whole_answer_says(api: str, data: st.DataObject, usage: Usage) -> None:
    client, supplier = SIDES[api]
    answer = data.draw(answers(api))
    asked = head(api)
    asked = replace(asked, ask=replace(asked.ask, body={**asked.ask.body, "stream_options": {"include_usage": True}}))
    writer, reader = client.make_writer(asked), supplier.make_reader()
    stream = b"".join([writer.write(event) for event in events(answer)]) + writer.finish(usage, "default")
    objects = [orjson.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: ") and line != b"data: [DONE]"]
    assert folded(event for content in objects for event in reader.read(content)) == answer
    assert reader.stopped
    assert reader.usage is not None
    assert read_usage(MODEL, api, reader.usage) == usage


@given(st.sampled_from(["5m", "1h"]), st.integers(1, 1000))
def test_what_was_written_to_a_cache_keeps_its_lifetime(ttl: str, count: int) -> None:
    usage = Usage({"input": 10, f"cache_write_{ttl}": count, "output": 1})
    assert read_usage(MODEL, "messages", messages.write_usage(usage)) == usage
