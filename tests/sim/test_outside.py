"""A running gateway seen from outside, by the machines that look at it and post to it: OpenTelemetry, CloudEvents, Prometheus, a load balancer."""

import gzip
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from tests.support.clients import send_all
from tests.support.gateway import Running, running_gateway, until
from tests.support.shop import simulated, upstream
from tests.support.upstream import running_upstream
from tokenworth.capture.events import Status
from tokenworth.core.instants import to_datetime
from tokenworth.core.money import NANO, parse_amount
from tokenworth.feeds.usage import cloudevents
from tokenworth.wiring.clock import now
from tokenworth.wiring.ledgers import open_registry, verify

PROMPT = "a secret of the customer's"
BODY = {"model": "sim", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 20}


def own_key(gateway: Running, scope: str) -> str:
    with closing(open_registry(gateway.database)) as registry:
        return registry.add_machine_key(scope, "test")[1]


def ask(
    url: str, *, key: str = "", body: bytes | None = None, kind: str = "application/json", **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
    """Send one request; return status, headers and body whatever the status is."""
    sent = {"authorization": f"Bearer {key}", "content-type": kind, **headers}
    request = urllib.request.Request(url, data=body, headers=sent)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def post(gateway: Running, key: str, events: list[dict[str, Any]]) -> tuple[int, Any]:
    status, _, content = ask(f"{gateway.url}/api/v1/usage-events", key=key, body=json.dumps(events).encode(), kind=cloudevents.BATCH)
    return status, json.loads(content)


def event(id_: str, customer: str = "ada", at: int | None = None, **data: Any) -> dict[str, Any]:
    """Return an event as the CloudEvents SDK writes it: 20 in, 5 of them cached, and 7 out."""
    told = {"product": "sim", "counts": {"input": 15, "cache_read": 5, "output": 7}} | data
    names = {"id": id_, "source": "/elsewhere", "type": "tokenworth.usage", "subject": customer, "datacontenttype": "application/json"}
    made = CloudEvent(attributes={**names, "time": to_datetime(at or now() - 1_000_000)}, data=told)
    return dict(json.loads(to_structured(made, JSONFormat()).body))


CHARGE = 15 * 1000 + 5 * 100 + 7 * 4000
"""Of such an event, in nano-units, at 1, 0.1 and 4 credits a million."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_gateway(tmp_path_factory.mktemp("outside") / "ledger.db", {"sim": simulated()}) as made:
        yield made


def test_events_of_a_batch_count_once_each(gateway: Running) -> None:
    gateway.customer("ada", NANO)
    key = own_key(gateway, "ingest")
    late, first = event("late", at=now() - 40 * 86_400_000_000), event("1")
    status, told = post(gateway, key, [first, late, event("2", product="none"), event("3", customer="nobody")])
    assert (status, told["accepted"], told["refused"]) == (207, 2, 2)
    assert [each["status"] for each in told["events"]] == ["accepted", "accepted", "refused", "refused"]
    assert told["events"][0]["charge"] == "0.0000435"
    status, again = post(gateway, key, [first, late])
    assert (status, again["duplicate"]) == (200, 2)
    assert again["events"][0]["event"] == told["events"][0]["event"]
    changed = first | {"data": first["data"] | {"counts": {"input": 1}}}
    status, other = post(gateway, key, [changed])
    assert (status, other["events"][0]["problems"][0]["code"]) == (422, "idempotency_key_reused")
    stored = gateway.events("ada")
    # oldest first, in whatever order they came
    assert [each.at < now() - 86_400_000_000 for each in stored] == [True, False]
    assert [each.charge for each in stored] == [CHARGE] * 2
    assert gateway.available("ada") == NANO - 2 * CHARGE
    assert verify(gateway.database).problems == []


def test_an_account_without_credits_goes_into_debt(gateway: Running) -> None:
    gateway.customer("poor", 1000)
    status, told = post(gateway, own_key(gateway, "ingest"), [event("poor-1", customer="poor")])
    assert (status, told["accepted"]) == (200, 1)
    assert gateway.available("poor") == 1000 - CHARGE


def test_who_may_post_and_what(gateway: Running) -> None:
    customers, metrics, key = gateway.customer("keys", NANO), own_key(gateway, "metrics"), own_key(gateway, "ingest")
    url = f"{gateway.url}/api/v1/usage-events"
    body = json.dumps([event("keys-1", customer="keys")]).encode()
    for given, expected in (("", 401), ("tw_none", 401), (customers, 401), (metrics, 403)):
        assert ask(url, key=given, body=body, kind=cloudevents.BATCH)[0] == expected
    assert ask(url, key=key, body=body, kind="text/plain")[0] == 415
    assert ask(url, key=key, body=body, kind=cloudevents.ONE)[0] == 400
    assert ask(url, key=key, body=b"{", kind=cloudevents.BATCH)[0] == 400
    assert ask(url, key=key, body=b"[" + b'{"id": "x"},' * 5_000 + b"{}]", kind=cloudevents.BATCH)[0] == 413
    # a small body that unpacks to a large one
    assert ask(url, key=key, body=gzip.compress(bytes(9 * 1024 * 1024)), kind=cloudevents.BATCH, **{"content-encoding": "gzip"})[0] == 413
    # a key of the operator's own calls no model
    assert ask(f"{gateway.url}/v1/chat/completions", key=key, body=json.dumps(BODY).encode())[0] == 401
    assert gateway.events("keys") == []


def test_rows_of_litellm(gateway: Running) -> None:
    gateway.customer("team-1", NANO)
    golden = Path(__file__).parent.parent / "golden" / "litellm_spend_logs.jsonl"
    rows = [json.loads(line) | {"model_group": "sim", "model": "sim-upstream"} for line in golden.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        # as of a time that has been
        row["startTime"] = row["endTime"] = row["completionStartTime"] = "2026-09-30 23:30:00.25"
    url = f"{gateway.url}/api/v1/usage-events?format=litellm&customer=team_id"
    status, _, content = ask(url, key=own_key(gateway, "ingest"), body=json.dumps(rows[:4]).encode())
    told = json.loads(content)
    # the card has no rates for tokens that Anthropic writes to its cache
    assert (status, [each["status"] for each in told["events"]]) == (207, ["accepted", "refused", "accepted", "accepted"])
    assert told["events"][1]["problems"][0]["code"] == "unpriced"
    # 176 x 1 + 1024 x 0.1 + 300 x 4, 9 x 1 + 2 x 4, 8 x 1
    assert sorted(each.charge for each in gateway.events("team-1")) == [8_000, 17_000, 1_478_400]


def spans(customer: str, *counts: int) -> list[ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    names = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "sim", "gen_ai.response.model": "sim-upstream"}
    for count in counts:
        attributes: dict[str, str | int] = {**names, "tokenworth.customer": customer}
        if count:
            used = {"gen_ai.usage.input_tokens": 20, "gen_ai.usage.cache_read.input_tokens": 5, "gen_ai.usage.output_tokens": count}
            attributes |= used
        with provider.get_tracer("test").start_as_current_span("chat", attributes=attributes):
            pass
    return list(kept.get_finished_spans())


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_spans_of_the_sdks_exporter(gateway: Running, compression: Compression, caplog: pytest.LogCaptureFixture) -> None:
    name = f"spans-{compression.value}"
    gateway.customer(name, NANO)
    headers = {"authorization": f"Bearer {own_key(gateway, 'ingest')}"}
    exporter = OTLPSpanExporter(endpoint=f"{gateway.url}/api/v1/traces", headers=headers, compression=compression)
    made = spans(name, 7, 8)
    # an exporter that heard no answer sends the same again
    assert [exporter.export(made) for _ in range(2)] == [SpanExportResult.SUCCESS] * 2
    assert [each.counts["output"] for each in gateway.events(name)] == [7, 8]
    assert gateway.events(name)[0].charge == CHARGE
    # one whose key is revoked hears of it
    stranger = OTLPSpanExporter(endpoint=f"{gateway.url}/api/v1/traces", headers={"authorization": "Bearer tw_none"})
    assert stranger.export(made) is SpanExportResult.FAILURE
    assert "401" in caplog.text
    for each in (exporter, stranger):
        each.shutdown()  # type: ignore[no-untyped-call]


def test_spans_that_are_refused_are_told_as_partial_success(gateway: Running) -> None:
    gateway.customer("partly", NANO)
    body = encode_spans([*spans("partly", 7, 0), *spans("nobody", 7)]).SerializeToString()
    url, key = f"{gateway.url}/api/v1/traces", own_key(gateway, "ingest")
    status, headers, content = ask(url, key=key, body=body, kind="application/x-protobuf")
    told = ExportTraceServiceResponse.FromString(content)
    assert (status, headers["content-type"], told.partial_success.rejected_spans) == (200, "application/x-protobuf", 2)
    assert "no_usage" in told.partial_success.error_message
    assert "unknown_customer" in told.partial_success.error_message
    assert len(gateway.events("partly")) == 1
    status, _, content = ask(url, key=key, body=b"[]")
    # google.rpc.Status with INVALID_ARGUMENT
    assert (status, json.loads(content)["code"]) == (400, 3)
    assert ask(url, key=key, body=b"\xff\xff\xff", kind="application/x-protobuf")[0] == 400
    assert ask(url, key=key, body=b"\x1f\x8b broken", kind="application/x-protobuf", **{"content-encoding": "gzip"})[0] == 400


async def test_metrics_tell_what_the_ledger_has(gateway: Running) -> None:
    secret, key = gateway.customer("measured", NANO), own_key(gateway, "metrics")
    before = scraped(gateway, key)
    seen = await send_all(gateway.url, secret, [BODY, {**BODY, "stream": True}] * 3, at_once=2)
    assert await send_all(gateway.url, secret, [{**BODY, "max_tokens": 900, "n": 1000}], at_once=1)
    mine = gateway.events("measured")
    after = scraped(gateway, key)

    grown = growth(before, after)
    assert [each.status for each in seen] == [200] * 6
    assert grown("tokenworth_requests_total", format="chat", product="sim", tier="default", status="200") == 6
    assert grown("tokenworth_requests_total", format="chat", status="402") == 1
    assert grown("tokenworth_holds_refused_total", reason="insufficient_credits") == 1
    assert grown("tokenworth_events_total", product="sim", api="chat", status="ok") == 6
    assert grown("tokenworth_tokens_total", **{"class": "output"}) == sum(each.counts.get("output", 0) for each in mine)
    assert grown("tokenworth_charged_total", unit="credits") == pytest.approx(sum(each.charge for each in mine) / NANO)
    assert grown("tokenworth_cost_total", currency="USD") == pytest.approx(sum(each.cost for each in mine) / NANO)
    assert grown("tokenworth_first_token_seconds_count", tier="default") == 6
    assert grown("tokenworth_inter_token_seconds_count", tier="default") > 3
    assert grown("tokenworth_ledger_seconds_count") >= 12
    for name in ("tokenworth_open_requests", "tokenworth_open_streams", "tokenworth_open_holds", "tokenworth_ledger_queue"):
        assert after[name, frozenset()] == 0
    assert not any("measured" in dict(labels).values() for _, labels in after)
    assert ask(f"{gateway.url}/metrics")[0] == 401


Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(gateway: Running, key: str) -> Samples:
    """Return what Prometheus' own parser makes of the metrics."""
    status, headers, content = ask(f"{gateway.url}/metrics", key=key)
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(content.decode())
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def growth(before: Samples, after: Samples) -> Any:
    def grown(name: str, **labels: str) -> float:
        wanted = labels.items()
        return sum(value - before.get((each, pairs), 0) for (each, pairs), value in after.items() if each == name and wanted <= dict(pairs).items())

    return grown


def test_ready_while_the_ledger_can_be_written(gateway: Running) -> None:
    status, _, content = ask(f"{gateway.url}/readyz")
    assert (status, json.loads(content)["status"]) == (200, "ready")


def test_an_end_cuts_what_goes_on_too_long_and_charges_what_was_delivered(tmp_path: Path) -> None:
    with running_upstream() as up, running_gateway(tmp_path / "l.db", {"up": upstream(up.url("drips"))}, drain_seconds=1) as gateway:
        secret = gateway.customer("ada", NANO)
        lines: list[bytes] = []
        request = urllib.request.Request(
            f"{gateway.url}/v1/chat/completions",
            data=json.dumps(BODY | {"model": "up", "stream": True}).encode(),
            headers={"authorization": f"Bearer {secret}", "content-type": "application/json"},
        )

        def listen() -> None:
            with urllib.request.urlopen(request, timeout=20) as answer:
                lines.extend(answer)

        client = threading.Thread(target=listen)
        client.start()
        until(lambda: gateway.open_holds() == 1)
        gateway.process.terminate()
        until(lambda: ask(f"{gateway.url}/readyz")[0] == 503)
        status, headers, content = ask(f"{gateway.url}/v1/chat/completions", key=secret, body=json.dumps(BODY).encode())
        assert (status, headers["retry-after"], json.loads(content)["error"]["code"]) == (503, "1", "gateway_stopping")
        assert ask(f"{gateway.url}/healthz")[0] == 200
        client.join(20)
        assert gateway.process.wait(20) == 0
        told = b"".join(lines)
        (stored,) = gateway.events("ada")
        assert stored.status is Status.ESTIMATED
        assert stored.charge > 0
        # the client hears why, and what it was charged
        note = json.loads(told[told.index(b": tokenworth ") + 13 :].split(b"\n")[0])
        assert parse_amount(note["charge"]) == stored.charge
        assert b"the gateway is stopping" in told
        assert gateway.open_holds() == 0
        assert verify(gateway.database).problems == []


class Collector:
    """Takes spans as an OpenTelemetry collector does, over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[Any]:
        requests = map(ExportTraceServiceRequest.FromString, self.bodies)
        return [span for request in requests for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]


async def test_spans_of_requests_are_exported_without_prompts_and_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server.server_port}")
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with running_gateway(tmp_path / "l.db", {"sim": simulated()}, traces=True, log_requests=True) as gateway:
        secret = gateway.customer("ada", NANO)
        status, headers, _ = ask(f"{gateway.url}/v1/chat/completions", key=secret, body=json.dumps(BODY).encode(), traceparent=parent)
        assert status == 200
    until(lambda: bool(collector.spans()))
    (span,) = collector.spans()
    (stored,) = gateway.events("ada")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == tuple(parent.split("-")[1:3])
    assert (span.name, span.start_time_unix_nano, span.end_time_unix_nano) == ("chat sim", stored.at * 1000, stored.ended * 1000)
    told = {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
    assert told["tokenworth.event"] == headers["x-tokenworth-event"] == stored.id
    assert told["tokenworth.charge"] == headers["x-tokenworth-charge"]
    assert told["gen_ai.usage.output_tokens"] == stored.counts["output"]
    assert (told["gen_ai.request.model"], told["gen_ai.response.model"]) == ("sim", "sim-upstream")
    log = gateway.database.with_suffix(".log").read_bytes()
    assert stored.id.encode() in log
    for text in (PROMPT, secret):
        assert all(text.encode() not in each for each in (*collector.bodies, log))
    collector.server.shutdown()
    collector.server.server_close()
