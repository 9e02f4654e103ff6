"""A chat completion request -> the neutral form."""

from collections.abc import Iterator

from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire.ask import Ask
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
    grouped,
)
from tokenworth.flows.serve.wire.hub.strict import Taker, split_data_url, untranslatable

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
NUMBERS = (int, float)


def read_request(ask: Ask) -> Conversation:
    """Read a request; Refusal (400) names what no other format has."""
    body = Taker(ask.body)
    body.drop("model", "stream", "stream_options", "service_tier", "max_tokens", "max_completion_tokens")
    body.neutral(n=1, logprobs=False, top_logprobs=0, frequency_penalty=0, presence_penalty=0, logit_bias={}, store=False, modalities=["text"])
    turns = grouped(_turn(message) for message in body.listed("messages"))
    choice, chosen = _choice(body)
    user, effort = body.text("safety_identifier"), body.text("reasoning_effort")
    found = Conversation(
        turns=turns,
        tools=tuple(_tool(tool) for tool in body.listed("tools")),
        choice=choice,
        chosen=chosen,
        parallel=body.take("parallel_tool_calls", bool),
        output_limit=ask.output_limit,
        temperature=body.take("temperature", *NUMBERS),
        top_p=body.take("top_p", *NUMBERS),
        stop=_stop(body),
        shape=_shape(body.inner("response_format")),
        effort=effort,
        # in Anthropic's format thinking has to be switched on beside its effort
        thinking="adaptive" if effort not in ("", "none") else "",
        verbosity=body.text("verbosity"),
        user=user or body.text("user"),
        metadata=body.take("metadata", dict),
        cache_key=body.text("prompt_cache_key"),
        at={
            "shape": "response_format",
            "effort": "reasoning_effort",
            "user": "safety_identifier" if user else "user",
            "cache_key": "prompt_cache_key",
            "parallel": "parallel_tool_calls",
            "choice": "tool_choice",
        },
    )
    body.close()
    return found


def _turn(message: Taker) -> Turn:
    role = ROLES.get(message.text("role"))
    if role is None:
        raise bad_request(f"`{message.at('role')}` must be one of {', '.join(ROLES)}.", message.at("role"))
    if role == "tool":
        parts: tuple[Part, ...] = (_result(message),)
    elif role == "assistant":
        parts = (*_reasoning(message), *_content(message), *_declined(message), *_calls(message))
        message.neutral(annotations=[])
    else:
        parts = _content(message)
    message.close()
    return Turn(role, parts, message.path)


def _content(message: Taker) -> tuple[Text | Media | Declined, ...]:
    if not message.has("content"):
        return ()
    given = message.take("content", str, list)
    if isinstance(given, str):
        return (Text(given, at=message.at("content")),) if given else ()
    return tuple(_part(Taker(one, f"{message.at('content')}.{at}")) for at, one in enumerate(given))


def _part(part: Taker) -> Text | Media | Declined:
    found = _read_part(part, part.text("type"))
    part.close()
    return found


def _read_part(part: Taker, kind: str) -> Text | Media | Declined:
    if kind == "text":
        return Text(part.text("text"), cache(part), part.path)
    if kind == "refusal":
        return Declined(part.text("refusal"), part.path)
    if kind == "image_url" and (image := part.inner("image_url")):
        found = media("image", image.text("url"), part, detail_of=image)
        image.close()
        return found
    if kind == "file" and (file := part.inner("file")) and file.has("file_data"):
        data, name = file.text("file_data"), file.text("filename")
        file.close()
        return media("document", data, part, name=name)
    raise untranslatable(part.path)


def media(kind: str, url: str, part: Taker, *, detail_of: Taker | None = None, name: str = "") -> Media:
    """Return an image or a document of a URL, which may be one that carries the data."""
    split = split_data_url(url)
    if split is None and not url.startswith(("https://", "http://")):
        raise untranslatable(part.path)
    media_type, data = split or ("", "")
    detail = detail_of.text("detail") if detail_of else ""
    return Media(
        kind=kind,
        url="" if split else url,
        media_type=media_type,
        data=data,
        detail="" if detail == "auto" else detail,
        name=name,
        cache=cache(part),
        at=part.path,
        detail_at=detail_of.at("detail") if detail_of else "",
    )


def cache(part: Taker) -> Cache | None:
    """Return a part's mark: OpenAI's, or Anthropic's as routers take it."""
    for name, kind, word in (("prompt_cache_breakpoint", "mode", "explicit"), ("cache_control", "type", "ephemeral")):
        mark = part.inner(name)
        if mark and mark.text(kind) == word:
            ttl = mark.text("ttl")
            mark.close()
            return Cache("" if ttl == "5m" else ttl, mark.path)
        if mark:
            raise untranslatable(mark.path)
    return None


def _result(message: Taker) -> Result:
    parts = _content(message)
    if not all(isinstance(part, Text) for part in parts):
        raise untranslatable(message.at("content"))
    return Result(message.text("tool_call_id"), tuple(part for part in parts if isinstance(part, Text)), at=message.path)


def _declined(message: Taker) -> tuple[Declined, ...]:
    said = message.text("refusal")
    return (Declined(said, message.at("refusal")),) if said else ()


def _calls(message: Taker) -> Iterator[Call]:
    for call in message.listed("tool_calls"):
        call.drop("index")
        function = call.inner("function") if call.text("type") in ("", "function") else None
        if function is None:
            raise untranslatable(call.path)
        yield Call(call.text("id"), function.text("name"), function.text("arguments"), at=function.at("arguments"))
        function.close()
        call.close()


def _reasoning(message: Taker) -> Iterator[Reasoning]:
    """Yield what was thought: routers' form with proofs where it is there, else the text that reasoning models have beside their content."""
    plain = message.text("reasoning_content") or message.text("reasoning")
    message.drop("reasoning")
    if not message.has("reasoning_details"):
        if plain:
            yield Reasoning(plain, at=message.at("reasoning_content"))
        return
    found: list[tuple[object, Reasoning]] = []
    for detail in message.listed("reasoning_details"):
        detail.drop("id", "format")
        index, one = detail.take("index"), _detail(detail)
        detail.close()
        if found and index is not None and found[-1][0] == index and not one.redacted:
            # fragments of a stream that were kept as they came
            before = found.pop()[1]
            one = Reasoning(before.text + one.text, one.proof or before.proof, at=before.at)
        found.append((index, one))
    yield from (one for _, one in found)


def _detail(detail: Taker) -> Reasoning:
    kind = detail.text("type")
    if kind == "reasoning.encrypted":
        return Reasoning("", detail.text("data"), redacted=True, at=detail.path)
    if kind == "reasoning.text":
        return Reasoning(detail.text("text"), detail.text("signature"), at=detail.path)
    if kind == "reasoning.summary":
        return Reasoning(detail.text("summary"), at=detail.path)
    raise untranslatable(detail.path)


def _tool(tool: Taker) -> Tool:
    function = tool.inner("function") if tool.text("type") == "function" else None
    if function is None:
        raise untranslatable(tool.path)
    found = Tool(
        name=function.text("name"),
        description=function.text("description"),
        schema=function.take("parameters", dict),
        strict=function.take("strict", bool),
        cache=cache(tool),
        at=tool.path,
    )
    function.close()
    tool.close()
    return found


def _choice(body: Taker) -> tuple[str, str]:
    given = body.take("tool_choice", str, dict)
    if given is None or isinstance(given, str):
        return given or "", ""
    choice = Taker(given, "tool_choice")
    function = choice.inner("function") if choice.text("type") == "function" else None
    if function is None:
        raise untranslatable("tool_choice")
    name = function.text("name")
    function.close()
    choice.close()
    return "only", name


def _stop(body: Taker) -> tuple[str, ...]:
    given = body.take("stop", str, list)
    return (given,) if isinstance(given, str) else Taker({"stop": given}).texts("stop")


def _shape(shape: Taker | None) -> Shape | None:
    kind = shape.text("type") if shape else ""
    if shape is None or kind == "text":
        return None
    if kind == "json_object":
        shape.close()
        return Shape()
    stated = shape.inner("json_schema") if kind == "json_schema" else None
    if stated is None:
        raise untranslatable(shape.path)
    found = Shape(stated.take("schema", dict) or {}, stated.text("name"), stated.text("description"), strict=bool(stated.take("strict", bool)))
    stated.close()
    shape.close()
    return found
