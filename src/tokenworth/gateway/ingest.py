"""Usage from elsewhere, over HTTP: CloudEvents and LiteLLM's rows at one path, OpenTelemetry's spans at another.

Who posts has an operator's key of scope `ingest`: it names customers, so no customer's own key will do.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tokenworth.core.errors import InputError, LedgerError
from tokenworth.core.money import format_amount
from tokenworth.feeds.usage import cloudevents, litellm, otlp, otlp_wire
from tokenworth.flows.elsewhere.intake import Fate, Intake, Outcome, counted
from tokenworth.flows.elsewhere.reported import Read
from tokenworth.flows.ports import Ledger
from tokenworth.flows.serve.refusal import Refusal, bad_request
from tokenworth.gateway.app import MAX_BODY, Routes
from tokenworth.gateway.asgi import Message, Receive, Send, header, read_body, send_json, send_whole
from tokenworth.gateway.machines import need_scope

EVENTS, TRACES = "/api/v1/usage-events", "/api/v1/traces"
MOST_RECORDS = 5_000
"""Records in one request."""
LARGE = 256 * 1024
"""Bytes above which a body is read in a thread, while the loop serves others."""
RPC = {400: 3, 401: 16, 403: 7, 413: 8, 415: 3, 503: 14}
"""google.rpc's codes by HTTP status: INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE."""

log = logging.getLogger(__name__)


class Ingest:
    """The handlers over the use-case."""

    def __init__(self, intake: Intake, ledger: Ledger, *, max_body: int = MAX_BODY) -> None:
        """Take bodies of at most `max_body` bytes, also when they are unpacked."""
        self._intake = intake
        self._ledger = ledger
        self._max_body = max_body

    @property
    def routes(self) -> Routes:
        """The routes, by path and method."""
        return {EVENTS: {"POST": self._events}, TRACES: {"POST": self._traces}}

    async def _events(self, scope: Message, receive: Receive, send: Send) -> None:
        need_scope(self._intake.operators, scope, "ingest")
        reader = _reader(scope)
        outcomes = await self._take(await self._body(scope, receive), reader)
        refused = sum(each.fate is Fate.REFUSED for each in outcomes)
        status = 200 if not refused else 422 if refused == len(outcomes) else 207
        await send_json(send, status, {**counted(outcomes), "events": [_told(each) for each in outcomes]})

    async def _traces(self, scope: Message, receive: Receive, send: Send) -> None:
        protobuf = header(scope, b"content-type").partition(";")[0].strip() == otlp_wire.PROTOBUF
        kind = {"content-type": otlp_wire.PROTOBUF if protobuf else otlp_wire.JSON}
        try:
            need_scope(self._intake.operators, scope, "ingest")
            outcomes = await self._take(await self._body(scope, receive), lambda body: list(otlp.read(otlp_wire.spans(body, protobuf=protobuf))))
        except Refusal as refusal:
            content = otlp_wire.failure(RPC.get(refusal.status, 2), f"{refusal.what} [{refusal.code}]", protobuf=protobuf)
            await send_whole(send, refusal.status, content, {**refusal.headers, **kind})
            return
        refused = [each for each in outcomes if each.fate is Fate.REFUSED]
        why = "; ".join(dict.fromkeys(f"{problem.field}: {problem.what} [{problem.code}]" for each in refused for problem in each.problems))
        await send_whole(send, 200, otlp_wire.answer(len(refused), why[:1000], protobuf=protobuf), kind)

    async def _body(self, scope: Message, receive: Receive) -> bytes:
        body = await read_body(scope, receive, self._max_body)
        encoding = header(scope, b"content-encoding").lower()
        if encoding in ("", "identity"):
            return body
        if encoding not in ("gzip", "deflate"):
            raise Refusal(415, "unknown_encoding", f"The content encoding {encoding} is not known; send gzip, or none.")
        return await asyncio.to_thread(_unpacked, body, self._max_body)

    async def _take(self, body: bytes, reader: Callable[[bytes], Sequence[Read]]) -> list[Outcome]:
        try:
            reads = await asyncio.to_thread(reader, body) if len(body) > LARGE else reader(body)
        except InputError as error:
            raise bad_request(str(error), code=error.code) from None
        if len(reads) > MOST_RECORDS:
            raise Refusal(413, "too_many_records", f"The request has {len(reads)} records; send at most {MOST_RECORDS} at once.")
        try:
            return await self._intake.take(self._ledger, reads)
        except LedgerError as error:
            log.error("usage could not be recorded: %s", error)  # noqa: TRY400 - the sender tries again
            why = "The ledger cannot be written now. Send all of it again: what was recorded is known."
            raise Refusal(503, "ledger_unavailable", why, headers={"retry-after": "1"}) from None


def _reader(scope: Message) -> Callable[[bytes], Sequence[Read]]:
    """Return what reads the body, by its content type; LiteLLM's rows are plain JSON, and the query names their customers' column."""
    kind = header(scope, b"content-type").partition(";")[0].strip().lower()
    if kind in (cloudevents.ONE, cloudevents.BATCH):
        return lambda body: list(cloudevents.read(cloudevents.parse(body, batch=kind == cloudevents.BATCH)))
    query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
    if kind == "application/json" and query.get("format") == litellm.FEED:
        column = query.get("customer", litellm.CUSTOMERS[0])
        if column not in litellm.CUSTOMERS:
            raise bad_request(f"customer must be one of {', '.join(litellm.CUSTOMERS)}.", "customer")
        return lambda body: _rows(body, column)
    known = f"{cloudevents.ONE}, {cloudevents.BATCH}, or application/json with ?format={litellm.FEED}"
    raise Refusal(415, "unknown_format", f"The content type must be {known}.")


def _rows(body: bytes, column: str) -> Sequence[Read]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}", mend="send a row or a list of rows", code="invalid_json") from None
    rows = content if isinstance(content, list) else [content]
    if not all(isinstance(row, dict) for row in rows):
        raise InputError("a row is not an object", mend="send a row or a list of rows", code="invalid_json")
    return [litellm.read(number, row, customer=column) for number, row in enumerate(rows, start=1)]


def _unpacked(body: bytes, limit: int) -> bytes:
    """Return what was packed, never more than the limit: a small body may unpack to a large one."""
    # 32: both formats by their header
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        content = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise bad_request(f"The body cannot be unpacked: {error}.", code="invalid_encoding") from None
    if len(content) > limit:
        raise Refusal(413, "body_too_large", f"The body unpacks to more than {limit} bytes.")
    if not unpacker.eof:
        raise bad_request("The body ends before it is whole.", code="invalid_encoding")
    return content


def _told(outcome: Outcome) -> Mapping[str, Any]:
    read = outcome.read
    told: dict[str, Any] = {"source": read.source, "id": read.id, "status": str(outcome.fate)}
    if outcome.event:
        told |= {"event": outcome.event, "charge": format_amount(outcome.charge), "unit": outcome.unit}
    if outcome.problems:
        told["problems"] = [{"code": each.code, "what": each.what, "mend": each.mend, "field": each.field} for each in outcome.problems]
    return told
