"""A request for a message -> the neutral form."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tokenworth.flows.exact_json import encode
from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.hub.conversation import Cache, Call, Conversation, Media, Part, Reasoning, Result, Shape, Text, Tool, Turn, grouped
from tokenworth.flows.serve.wire.hub.strict import Taker, untranslatable

NUMBERS = (int, float)
NOTHING_CLEARED = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
"""What Anthropic's own agent sends."""
CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "only"}


def read_request(ask: Ask) -> Conversation:
    """Read a request; Refusal (400) names what no other format has."""
    body = Taker(ask.body)
    body.drop("model", "stream", "service_tier", "max_tokens")
    body.neutral(context_management={}, mcp_servers=[], speed="standard", inference_geo="global")
    body.neutral(context_management=NOTHING_CLEARED)
    turns = [*_system(body), *(turn for message in body.listed("messages") for turn in _turns(message))]
    mark = cache(body)
    config = body.inner("output_config")
    choice, chosen, parallel = _choice(body.inner("tool_choice"))
    found = Conversation(
        turns=grouped(_marked(turns, mark) if mark else turns),
        tools=tuple(_tool(tool) for tool in body.listed("tools")),
        choice=choice,
        chosen=chosen,
        parallel=parallel,
        output_limit=ask.output_limit,
        temperature=body.take("temperature", *NUMBERS),
        top_p=body.take("top_p", *NUMBERS),
        top_k=body.take("top_k", int),
        stop=body.texts("stop_sequences"),
        shape=_shape(config.inner("format") if config else None),
        effort=config.text("effort") if config else "",
        thinking=_thinking(body.inner("thinking")),
        user=_user(body.inner("metadata")),
        at={
            "shape": "output_config.format",
            "effort": "output_config.effort",
            "user": "metadata.user_id",
            "stop": "stop_sequences",
            "choice": "tool_choice",
            "parallel": "tool_choice.disable_parallel_tool_use",
        },
    )
    if config:
        config.close()
    body.close()
    return found


def _system(body: Taker) -> Iterator[Turn]:
    if parts := _texts(body, "system"):
        yield Turn("system", parts, "system")


def _turns(message: Taker) -> Iterator[Turn]:
    """Yield a message's turns: each result of a tool is one of its own."""
    role = message.text("role")
    if role not in ("user", "assistant", "system"):
        raise bad_request(f"`{message.at('role')}` must be user, assistant or system.", message.at("role"))
    others: list[Part] = []
    for part in _content(message):
        if isinstance(part, Result):
            if others:
                yield Turn(role, tuple(others), message.path)
                others = []
            yield Turn("tool", (part,), part.at)
        else:
            others.append(part)
    message.close()
    if others:
        yield Turn(role, tuple(others), message.path)


def _content(owner: Taker) -> tuple[Part, ...]:
    given = owner.take("content", str, list)
    if given is None or isinstance(given, str):
        return (Text(given, at=owner.at("content")),) if given else ()
    return tuple(_block(Taker(one, f"{owner.at('content')}.{at}")) for at, one in enumerate(given))


def _block(block: Taker) -> Part:
    kind = block.text("type")
    found: Part | None = READERS[kind](block) if kind in READERS else None
    if found is None:
        raise untranslatable(block.path)
    block.close()
    return found


def cache(block: Taker) -> Cache | None:
    """Return a block's mark; five minutes is the lifetime of one that states none."""
    mark = block.inner("cache_control")
    if mark is None:
        return None
    mark.neutral(type="ephemeral", ttl="5m")
    ttl = mark.text("ttl")
    mark.close()
    return Cache(ttl, mark.path)


def _text(block: Taker) -> Text:
    block.neutral(citations=[])
    return Text(block.text("text"), cache(block), block.path)


def _image(block: Taker) -> Media | None:
    return _media(block, "image", block.inner("source"))


def _document(block: Taker) -> Media | None:
    block.neutral(citations={"enabled": False})
    return _media(block, "document", block.inner("source"), name=block.text("title"))


def _media(block: Taker, kind: str, source: Taker | None, *, name: str = "") -> Media | None:
    where = source.text("type") if source else ""
    if source is None or where not in ("base64", "url"):
        return None
    found = Media(
        kind=kind,
        url=source.text("url"),
        media_type=source.text("media_type"),
        data=source.text("data"),
        name=name,
        cache=cache(block),
        at=block.path,
    )
    source.close()
    return found


def _thought(block: Taker) -> Reasoning:
    return Reasoning(block.text("thinking"), block.text("signature"), at=block.path)


def _redacted(block: Taker) -> Reasoning:
    return Reasoning("", block.text("data"), redacted=True, at=block.path)


def _call(block: Taker) -> Call:
    block.neutral(caller={"type": "direct"})
    arguments = encode(block.take("input", dict) or {}).decode()
    return Call(block.text("id"), block.text("name"), arguments, cache(block), block.at("input"))


def _result(block: Taker) -> Result:
    parts = _content(block)
    for part in parts:
        if not isinstance(part, Text | Media):
            raise untranslatable(part.at)
    kept = tuple(part for part in parts if isinstance(part, Text | Media))
    return Result(block.text("tool_use_id"), kept, bool(block.take("is_error", bool)), cache(block), block.path)


READERS: dict[str, Any] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "thinking": _thought,
    "redacted_thinking": _redacted,
    "tool_use": _call,
    "tool_result": _result,
}


def _texts(body: Taker, name: str) -> tuple[Text, ...]:
    given = body.take(name, str, list)
    if given is None or isinstance(given, str):
        return (Text(given, at=name),) if given else ()
    blocks = [_block(Taker(one, f"{name}.{at}")) for at, one in enumerate(given)]
    return tuple(block for block in blocks if isinstance(block, Text))


def _marked(turns: list[Turn], mark: Cache) -> list[Turn]:
    """Mark the last part, as Anthropic says that a mark of the whole request is meant."""
    if not turns or not turns[-1].parts:
        return turns
    *before, last = turns[-1].parts
    if isinstance(last, Text | Media | Call | Result) and not last.cache:
        last = replace(last, cache=mark)
    return [*turns[:-1], replace(turns[-1], parts=(*before, last))]


def _tool(tool: Taker) -> Tool:
    if tool.text("type") not in ("", "custom"):
        raise untranslatable(tool.path)
    # when arguments are streamed, not what they are
    tool.drop("eager_input_streaming")
    tool.neutral(defer_loading=False, allowed_callers=["direct"], input_examples=[])
    schema, strict = tool.take("input_schema", dict), tool.take("strict", bool)
    found = Tool(tool.text("name"), tool.text("description"), schema, strict, cache(tool), tool.path)
    tool.close()
    return found


def _choice(choice: Taker | None) -> tuple[str, str, bool | None]:
    if choice is None:
        return "", "", None
    kind = CHOICES.get(choice.text("type"))
    if kind is None:
        raise bad_request(f"`tool_choice.type` must be one of {', '.join(CHOICES)}.", "tool_choice.type")
    disabled = choice.take("disable_parallel_tool_use", bool)
    name = choice.text("name")
    choice.close()
    return kind, name, None if disabled is None else not disabled


def _shape(shape: Taker | None) -> Shape | None:
    if shape is None:
        return None
    shape.neutral(type="json_schema")
    found = Shape(shape.take("schema", dict) or {})
    shape.close()
    return found


def _thinking(thinking: Taker | None) -> str:
    """Return how much is thought. Off is what holds where nothing is said; a budget of its own no other format has."""
    if thinking is None:
        return ""
    kind = thinking.text("type")
    if kind not in ("adaptive", "disabled"):
        raise untranslatable("thinking.budget_tokens" if kind == "enabled" else "thinking")
    thinking.neutral(display="summarized")
    thinking.close()
    return "adaptive" if kind == "adaptive" else ""


def _user(metadata: Taker | None) -> str:
    if metadata is None:
        return ""
    user = metadata.text("user_id")
    metadata.close()
    return user
