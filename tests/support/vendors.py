"""Suppliers on each vendor's wire format, which give the same answers: a small HTTP server in a thread, whose path says which.

Shapes, names of events and their order are those of the vendors' API references, with the values of their examples where they fit: OpenAI's
reference of chat completions (functions, streaming), of responses (streaming, functions; the example streams of `POST /responses`) and of
embeddings; Anthropic's pages on streaming (the weather in San Francisco, and 27 * 453 with thinking), on extended thinking (redacted blocks),
on errors, and on token counting.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Writer = asyncio.StreamWriter
SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"
REDACTED = "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP"
ENCRYPTED = "gAAAAABoISQ24OyVRYbkYfukdJoqdzWT-3uiErKInHDC-lgAaXeky44N77j7aibc"


@dataclass(frozen=True)
class Say:
    """What a model makes, whatever the format: parts are (kind, ...)."""

    parts: tuple[tuple[str, ...], ...]
    stop: str = "end"


SCENES = {
    "text": Say((("text", "Hello", "!", " How can I help?"),)),
    "limit": Say((("text", "Once upon"),), "limit"),
    "calls": Say(
        (
            ("text", "Okay, let's check", " the weather:"),
            ("call", "toolu_01T1x1fJ34qAmk2tNTrN7Up6", "get_weather", '{"location":', ' "San Francisco, CA"}'),
            ("call", "toolu_02", "get_time", '{"zone": "PST"}'),
        ),
        "calls",
    ),
    "bare": Say((("call", "toolu_03", "list_files"),), "calls"),
    "thinking": Say((("thinking", "Let me solve this:", "\n1. 27 * 400 = 10,800"), ("redacted",), ("text", "27 * 453 = 12,231"))),
    "json": Say((("text", '{"city": "Paris",', ' "celsius": 21}'),)),
}

MESSAGE_USAGE = {
    "input_tokens": 300,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 50,
    "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 65,
}
CHAT_USAGE = {
    "prompt_tokens": 400,
    "completion_tokens": 65,
    "total_tokens": 465,
    "prompt_tokens_details": {"cached_tokens": 100},
    "completion_tokens_details": {"reasoning_tokens": 15},
}
RESPONSE_USAGE = {
    "input_tokens": 400,
    "input_tokens_details": {"cached_tokens": 100},
    "output_tokens": 65,
    "output_tokens_details": {"reasoning_tokens": 15},
    "total_tokens": 465,
}


def joined(part: tuple[str, ...]) -> str:
    return "".join(part[3:] if part[0] == "call" else part[1:])


def message(say: Say, model: str) -> dict[str, Any]:
    """Return a whole message of Anthropic's."""
    blocks: list[dict[str, Any]] = []
    for part in say.parts:
        if part[0] == "text":
            blocks.append({"type": "text", "text": joined(part)})
        elif part[0] == "thinking":
            blocks.append({"type": "thinking", "thinking": joined(part), "signature": SIGNATURE})
        elif part[0] == "redacted":
            blocks.append({"type": "redacted_thinking", "data": REDACTED})
        else:
            blocks.append({"type": "tool_use", "id": part[1], "name": part[2], "input": json.loads(joined(part) or "{}")})
    stop = {"end": "end_turn", "limit": "max_tokens", "calls": "tool_use"}[say.stop]
    head = {"id": "msg_014p7gG3wDgGV9EUtLvnow3U", "type": "message", "role": "assistant", "model": model}
    return head | {"content": blocks, "stop_reason": stop, "stop_sequence": None, "usage": MESSAGE_USAGE}


def message_events(say: Say, model: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of a message; its usage is stated at the start, and again in full at the end."""
    whole = message(say, model)
    begun = MESSAGE_USAGE | {"output_tokens": 2, "service_tier": "standard"}
    yield "message_start", {"message": whole | {"content": [], "stop_reason": None, "usage": begun}}
    for at, (part, block) in enumerate(zip(say.parts, whole["content"], strict=True)):
        empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "call": {"input": {}}, "redacted": {}}[part[0]]
        yield "content_block_start", {"index": at, "content_block": block | empty}
        if at == 0:
            yield "ping", {}
        kind, name = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}.get(part[0], ("input_json_delta", "partial_json"))
        if part[0] == "call":
            yield "content_block_delta", {"index": at, "delta": {"type": kind, name: ""}}
        for piece in part[3:] if part[0] == "call" else part[1:]:
            yield "content_block_delta", {"index": at, "delta": {"type": kind, name: piece}}
        if part[0] == "thinking":
            yield "content_block_delta", {"index": at, "delta": {"type": "signature_delta", "signature": SIGNATURE}}
        yield "content_block_stop", {"index": at}
    yield "message_delta", {"delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None}, "usage": {"output_tokens": 65}}
    yield "message_stop", {}


def completion(say: Say, model: str) -> dict[str, Any]:
    """Return a whole chat completion. What was thought is as DeepSeek's reference has it."""
    said: dict[str, Any] = {"role": "assistant", "content": "".join(joined(p) for p in say.parts if p[0] == "text") or None, "refusal": None}
    if thought := "".join(joined(p) for p in say.parts if p[0] == "thinking"):
        said["reasoning_content"] = thought
    calls = [p for p in say.parts if p[0] == "call"]
    if calls:
        said["tool_calls"] = [{"id": p[1], "type": "function", "function": {"name": p[2], "arguments": joined(p) or "{}"}} for p in calls]
    stop = {"end": "stop", "limit": "length", "calls": "tool_calls"}[say.stop]
    head = {"id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1741569952, "model": model}
    return head | {"choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": stop}], "usage": CHAT_USAGE}


def completion_chunks(say: Say, model: str) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a chat completion, its usage last."""
    whole = completion(say, model)
    head = {"id": whole["id"], "object": "chat.completion.chunk", "created": whole["created"], "model": model, "usage": None}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    at = -1
    for part in say.parts:
        if part[0] == "call":
            at += 1
            named = {"index": at, "id": part[1], "type": "function", "function": {"name": part[2], "arguments": ""}}
            yield chunk({"tool_calls": [named]})
            for piece in part[3:] or ("{}",):
                yield chunk({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})
        elif part[0] != "redacted":
            for piece in part[1:]:
                yield chunk({"content" if part[0] == "text" else "reasoning_content": piece})
    yield chunk({}, whole["choices"][0]["finish_reason"])
    yield head | {"choices": [], "usage": CHAT_USAGE}


def response(say: Say, model: str) -> dict[str, Any]:
    """Return a whole response."""
    output: list[dict[str, Any]] = []
    for at, part in enumerate(say.parts):
        if part[0] == "text":
            content = [{"type": "output_text", "text": joined(part), "annotations": []}]
            output.append({"id": f"msg_67c9fdcf{at}", "type": "message", "status": "completed", "role": "assistant", "content": content})
        elif part[0] == "call":
            named = {"call_id": part[1], "name": part[2], "arguments": joined(part) or "{}"}
            output.append({"id": f"fc_67ca09c6{at}", "type": "function_call", "status": "completed", **named})
        else:
            summary = [{"type": "summary_text", "text": joined(part)}] if part[0] == "thinking" else []
            output.append({"id": f"rs_6820f383{at}", "type": "reasoning", "summary": summary, "encrypted_content": ENCRYPTED})
    status = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}} if say.stop == "limit" else {"status": "completed"}
    return {
        "id": "resp_67c9fdcecf488190bdd9a0409de3a1ec07b8b0ad4e5eb654",
        "object": "response",
        "created_at": 1741290958,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": model,
        "output": output,
        "store": False,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "metadata": {},
        **status,
        "usage": RESPONSE_USAGE,
    }


def response_events(say: Say, model: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of a response."""
    whole = response(say, model)
    running = whole | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield "response.created", {"response": running}
    yield "response.in_progress", {"response": running}
    for at, (part, item) in enumerate(zip(say.parts, whole["output"], strict=True)):
        where = {"item_id": item["id"], "output_index": at}
        if part[0] == "text":
            yield "response.output_item.added", {"output_index": at, "item": item | {"status": "in_progress", "content": []}}
            empty = {"type": "output_text", "text": "", "annotations": []}
            yield "response.content_part.added", {**where, "content_index": 0, "part": empty}
            for piece in part[1:]:
                yield "response.output_text.delta", {**where, "content_index": 0, "delta": piece}
            yield "response.output_text.done", {**where, "content_index": 0, "text": joined(part)}
            yield "response.content_part.done", {**where, "content_index": 0, "part": item["content"][0]}
        elif part[0] == "call":
            yield "response.output_item.added", {"output_index": at, "item": item | {"status": "in_progress", "arguments": ""}}
            for piece in part[3:] or ("{}",):
                yield "response.function_call_arguments.delta", {**where, "delta": piece}
            yield "response.function_call_arguments.done", {**where, "arguments": item["arguments"]}
        else:
            yield "response.output_item.added", {"output_index": at, "item": item | {"summary": []}}
            if item["summary"]:
                index = {**where, "summary_index": 0}
                yield "response.reasoning_summary_part.added", {**index, "part": {"type": "summary_text", "text": ""}}
                for piece in part[1:]:
                    yield "response.reasoning_summary_text.delta", {**index, "delta": piece}
                yield "response.reasoning_summary_text.done", {**index, "text": joined(part)}
                yield "response.reasoning_summary_part.done", {**index, "part": item["summary"][0]}
        yield "response.output_item.done", {"output_index": at, "item": item}
    yield f"response.{whole['status']}", {"response": whole}


def named(events: Iterator[tuple[str, dict[str, Any]]]) -> list[bytes]:
    """Write events with names."""
    return [f"event: {name}\ndata: {json.dumps({'type': name, **content})}\n\n".encode() for name, content in events]


def unnamed(chunks: Iterator[dict[str, Any]]) -> list[bytes]:
    """Write chunks, and the terminator."""
    return [*(f"data: {json.dumps(content)}\n\n".encode() for content in chunks), b"data: [DONE]\n\n"]


def numbered(events: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Number the events of a response."""
    for at, (name, content) in enumerate(events):
        yield name, {"sequence_number": at, **content}


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """Return as many embeddings as there are inputs."""
    given = body["input"]
    inputs = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
    data = [{"object": "embedding", "index": at, "embedding": [0.0023064255, -0.009327292]} for at in range(len(inputs))]
    return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 8, "total_tokens": 8}}


ERRORS = {
    "messages": {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too many"}, "request_id": "req_011"},
    "chat": {"error": {"message": "max_tokens: too many", "type": "invalid_request_error", "param": "max_tokens", "code": "too_many"}},
}
ERRORS["responses"] = ERRORS["chat"]


class Vendors:
    """Answers `/SCENE/chat/completions`, `/messages`, `/responses`, `/embeddings` and `/messages/count_tokens`. `seen` has (path, headers, body)."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    def url(self, scene: str) -> str:
        return f"http://127.0.0.1:{self.port}/{scene}"

    async def handle(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            _, scene, *path = head[0].split(" ")[1].split("/")
            self.seen.append(("/".join(path), headers, body))
            await self._answer(scene, "/".join(path), body, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            writer.close()

    async def _answer(self, scene: str, path: str, body: dict[str, Any], writer: Writer) -> None:
        api = {"chat/completions": "chat"}.get(path, path)
        model = body["model"]
        if scene == "refuses":
            await _send(writer, 400, json.dumps(ERRORS[api]).encode())
        elif scene == "breaks":
            events = named(message_events(SCENES["text"], model))[:5]
            error = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
            await _send(writer, 200, b"".join(events + named(iter([("error", error)]))), "text/event-stream")
        elif path == "messages/count_tokens":
            await _send(writer, 200, b'{"input_tokens": 14}')
        elif api == "embeddings":
            await _send(writer, 200, json.dumps(embeddings(body)).encode())
        elif body.get("stream"):
            await _send(writer, 200, b"".join(stream(api, SCENES[scene], model)), "text/event-stream")
        else:
            made = {"chat": completion, "messages": message, "responses": response}[api]
            await _send(writer, 200, json.dumps(made(SCENES[scene], model)).encode())


def stream(api: str, say: Say, model: str) -> list[bytes]:
    """Return the events of an answer on a format."""
    if api == "chat":
        return unnamed(completion_chunks(say, model))
    return named(message_events(say, model)) if api == "messages" else named(numbered(response_events(say, model)))


async def _send(writer: Writer, status: int, data: bytes, kind: str = "application/json") -> None:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    await writer.drain()
