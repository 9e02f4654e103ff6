"""A request for a response -> the neutral form."""

from collections.abc import Iterator

from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.chat.read_request import ROLES, cache, media
from tokenworth.flows.serve.wire.hub.conversation import (
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
from tokenworth.flows.serve.wire.hub.strict import Taker, untranslatable
from tokenworth.flows.serve.wire.responses.proof import joined

NUMBERS = (int, float)


def read_request(ask: Ask) -> Conversation:
    """Read a request; Refusal (400) names what no other format has."""
    body = Taker(ask.body)
    body.drop("model", "stream", "stream_options", "service_tier", "max_output_tokens", "max_tool_calls")
    body.neutral(store=False, background=False, truncation="disabled", top_logprobs=0, include=[])
    # proofs come with every answer that has them
    body.neutral(include=["reasoning.encrypted_content"])
    turns = [*_instructions(body), *_input(body)]
    text, reasoning = body.inner("text"), body.inner("reasoning")
    effort = _effort(reasoning)
    choice, chosen = _choice(body)
    user = body.text("safety_identifier")
    found = Conversation(
        turns=grouped(turns),
        tools=tuple(_tool(tool) for tool in body.listed("tools")),
        choice=choice,
        chosen=chosen,
        parallel=body.take("parallel_tool_calls", bool),
        output_limit=ask.output_limit,
        temperature=body.take("temperature", *NUMBERS),
        top_p=body.take("top_p", *NUMBERS),
        shape=_shape(text.inner("format")) if text else None,
        effort=effort,
        thinking="adaptive" if effort not in ("", "none") else "",
        verbosity=text.text("verbosity") if text else "",
        user=user or body.text("user"),
        metadata=body.take("metadata", dict),
        cache_key=body.text("prompt_cache_key"),
        at={
            "shape": "text.format",
            "effort": "reasoning.effort",
            "verbosity": "text.verbosity",
            "cache_key": "prompt_cache_key",
            "user": "safety_identifier" if user else "user",
            "parallel": "parallel_tool_calls",
            "choice": "tool_choice",
        },
    )
    if text:
        text.close()
    body.close()
    return found


def _instructions(body: Taker) -> Iterator[Turn]:
    if text := body.text("instructions"):
        yield Turn("system", (Text(text, at="instructions"),), "instructions")


def _input(body: Taker) -> Iterator[Turn]:
    given = body.take("input", str, list)
    if isinstance(given, str):
        yield Turn("user", (Text(given, at="input"),), "input")
        return
    for at, one in enumerate(given or ()):
        item = Taker(one, f"input.{at}")
        yield _item(item, item.text("type") or "message")
        item.close()


def _item(item: Taker, kind: str) -> Turn:
    name = item.text("id")
    item.drop("status")
    if kind == "message":
        return _message(item)
    if kind == "function_call":
        item.neutral(caller={"type": "direct"})
        call = Call(item.text("call_id"), item.text("name"), item.text("arguments"), at=item.at("arguments"))
        return Turn("assistant", (call,), item.path)
    if kind == "function_call_output":
        return Turn("tool", (Result(item.text("call_id"), _parts(item, "output"), at=item.path),), item.path)
    if kind == "reasoning":
        return Turn("assistant", (_reasoning(item, name),), item.path)
    raise untranslatable(item.path)


def _message(item: Taker) -> Turn:
    role = ROLES.get(item.text("role"))
    if role is None or role == "tool":
        raise bad_request(f"`{item.at('role')}` must be user, assistant, system or developer.", item.at("role"))
    return Turn(role, _content(item, "content"), item.path)


def _content(owner: Taker, name: str) -> tuple[Part, ...]:
    given = owner.take(name, str, list)
    if given is None or isinstance(given, str):
        return (Text(given, at=owner.at(name)),) if given else ()
    return tuple(_part(Taker(one, f"{owner.at(name)}.{at}")) for at, one in enumerate(given))


def _parts(owner: Taker, name: str) -> tuple[Text | Media, ...]:
    found = _content(owner, name)
    for part in found:
        if not isinstance(part, Text | Media):
            raise untranslatable(part.at)
    return tuple(part for part in found if isinstance(part, Text | Media))


def _part(part: Taker) -> Text | Media | Declined:
    found = _read_part(part, part.text("type"))
    part.close()
    return found


def _read_part(part: Taker, kind: str) -> Text | Media | Declined:
    if kind in ("input_text", "output_text", "text"):
        part.neutral(annotations=[], logprobs=[])
        return Text(part.text("text"), cache(part), part.path)
    if kind == "refusal":
        return Declined(part.text("refusal"), part.path)
    if kind == "input_image" and part.has("image_url"):
        return media("image", part.text("image_url"), part, detail_of=part)
    if kind == "input_file" and (part.has("file_data") or part.has("file_url")):
        part.neutral(detail="auto")
        return media("document", part.text("file_data") or part.text("file_url"), part, name=part.text("filename"))
    raise untranslatable(part.path)


def _reasoning(item: Taker, name: str) -> Reasoning:
    summary = [part.text("text") for part in item.listed("summary")]
    content = [part.text("text") for part in item.listed("content")]
    proof = joined(name, item.text("encrypted_content"))
    return Reasoning("\n\n".join(summary or content), proof, redacted=bool(proof) and not (summary or content), at=item.path)


def _tool(tool: Taker) -> Tool:
    if tool.text("type") != "function":
        raise untranslatable(tool.path)
    tool.neutral(defer_loading=False)
    found = Tool(tool.text("name"), tool.text("description"), tool.take("parameters", dict), tool.take("strict", bool), at=tool.path)
    tool.close()
    return found


def _choice(body: Taker) -> tuple[str, str]:
    given = body.take("tool_choice", str, dict)
    if given is None or isinstance(given, str):
        return given or "", ""
    choice = Taker(given, "tool_choice")
    if choice.text("type") != "function":
        raise untranslatable("tool_choice")
    name = choice.text("name")
    choice.close()
    return "only", name


def _shape(shape: Taker | None) -> Shape | None:
    kind = shape.text("type") if shape else ""
    if shape is None or kind == "text":
        return None
    if kind not in ("json_object", "json_schema"):
        raise untranslatable(shape.path)
    stated = (shape.take("schema", dict) or {}) if kind == "json_schema" else None
    found = Shape(stated, shape.text("name"), shape.text("description"), strict=bool(shape.take("strict", bool)) if kind == "json_schema" else True)
    shape.close()
    return found


def _effort(reasoning: Taker | None) -> str:
    if reasoning is None:
        return ""
    effort = reasoning.text("effort")
    # what of its reasoning a supplier shows is passed on
    reasoning.neutral(summary="auto", generate_summary="auto")
    reasoning.close()
    return effort
