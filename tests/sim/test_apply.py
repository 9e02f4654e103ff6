"""A running gateway follows the book that `tokenworth apply` puts in force: without a restart, without dropping a stream, and never to a bad one."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.sim.test_cli_serve import ENVIRONMENT, HELLO, tokenworth
from tests.support.gateway import add_customer, free_port, until
from tests.support.upstream import Upstream
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.money import NANO
from tokenworth.store.sqlite.reader import Reader

BOOK = """
[book]
name = "Followed"
[plans.payg]
card = "standard"
credit_price = "1"
"""


def shop(suppliers: dict[str, str], product: str, *, rate: str = "10", more: str = "") -> str:
    """Return a book with a supplier and a model for each address, and one product."""
    text = BOOK
    for name, url in suppliers.items():
        text += f'[suppliers.{name}]\nkind = "openai"\nbase_url = "{url}"\n{more}\n'
        text += f'[models.{name}]\nsupplier = "{name}"\nname = "{name}-1"\ncontext = 8000\nmax_output = 1000\n'
        text += f'[[models.{name}.cost]]\nfrom = 2026-01-01\ninput = "1"\ncache_read = "1"\noutput = "1"\n'
    text += f"[products.chat]\n{product}\n"
    return text + f'[[cards.standard.rates]]\nproduct = "chat"\nfrom = 2026-01-01\ninput = "{rate}"\ncache_read = "{rate}"\noutput = "{rate}"\n'


class Shop:
    """A book's folder, and a gateway that serves it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database, self.log = folder / "book", folder / "ledger.db", folder / "serve.log"
        self.folder.mkdir()
        self.port = free_port()
        self.secret = ""
        self.process: subprocess.Popen[bytes] | None = None

    def apply(self, text: str) -> dict[str, Any]:
        (self.folder / "book.toml").write_text(text)
        done = tokenworth("apply", str(self.folder), "--db", str(self.database), "--json")
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"http://127.0.0.1:{self.port}/v1", api_key=self.secret, max_retries=0)

    def events(self) -> list[UsageEvent]:
        with Reader(self.database) as reader:
            return list(reader.read())

    def said(self, what: str) -> bool:
        return what in self.log.read_text()


@contextmanager
def served(folder: Path, text: str, *options: str) -> Iterator[Shop]:
    made = Shop(folder)
    (made.folder / "book.toml").write_text(text)
    with made.log.open("w") as out:
        command = [sys.executable, "-m", "tokenworth", "serve", str(made.folder), "--db", str(made.database), "--port", str(made.port), *options]
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=out, stderr=out)
    try:
        until(lambda: made.said("client.chat"), seconds=20)
        made.process = process
        made.secret = add_customer(made.database, "ada", 1_000 * NANO)
        yield made
    finally:
        process.terminate()
        assert process.wait(30) == 0, made.log.read_text()[-3000:]
    assert tokenworth("ledger", "verify", "--db", str(made.database)).returncode == 0


MIX = '[[products.chat.mix]]\nmodel = "bad"\n[[products.chat.mix]]\nmodel = "good"\nweight = 0'


def test_a_mix_answers_through_the_gateway_where_a_supplier_fails(tmp_path: Path, supplier: Upstream) -> None:
    with served(tmp_path, shop({"bad": supplier.url("fails"), "good": supplier.url("echo")}, MIX)) as at:
        with at.client() as client:
            whole = client.chat.completions.create(model="chat", messages=HELLO, extra_headers={"x-session-affinity": "mine"})
            stream = list(client.chat.completions.create(model="chat", messages=HELLO, stream=True))
        assert whole.model == "chat"
        assert "good-1" in str(whole.choices[0].message.content)
        assert "good-1" in "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        events = at.events()
    for event in events:
        assert (event.model, event.supplier) == ("good", "good")
        assert json.loads(event.attempts) == [{"model": "bad", "supplier": "bad", "outcome": "supplier_503", "cost": 0, "known": True}]
    told = json.loads(tokenworth("ledger", "promises", "--db", str(at.database), "--json").stdout)
    assert (told[0]["tier"], told[0]["answered"], told[0]["streams"]) == ("default", 2, 1)


def test_a_new_book_is_served_to_what_comes_and_streams_go_on_as_they_began(tmp_path: Path, supplier: Upstream) -> None:
    first = shop({"drip": supplier.url("drips")}, 'model = "drip"')
    with served(tmp_path, first) as at, at.client() as client:
        stream = client.chat.completions.create(model="chat", messages=HELLO, stream=True)
        assert next(stream).choices
        gone = supplier.gone
        told = at.apply(shop({"other": supplier.url("echo")}, 'model = "other"', rate="20"))
        assert told["changed"]
        until(lambda: at.said(f"book {told['book'][:12]} is served"))
        other = client.chat.completions.with_raw_response.create(model="chat", messages=HELLO)
        # 27 tokens at 20 per million
        assert other.headers["x-tokenworth-charge"] == "0.00054"
        assert [bool(next(stream).choices) for _ in range(5)] == [True] * 5
        assert supplier.gone == gone
        stream.close()
        until(lambda: len(at.events()) == 2)
        by_model = {event.model: event for event in at.events()}
        assert by_model["drip"].book == told["before"]
        assert by_model["other"].book == told["book"]
        assert by_model["drip"].charge % 10_000 == 0
        again = at.apply((at.folder / "book.toml").read_text())
        assert not again["changed"]


def test_streams_of_a_book_that_was_applied_are_cut_when_the_gateway_stops(tmp_path: Path, supplier: Upstream) -> None:
    first = shop({"echo": supplier.url("echo")}, 'model = "echo"')
    with served(tmp_path, first, "--drain-seconds", "0.5") as at, at.client() as client:
        told = at.apply(shop({"drip": supplier.url("drips")}, 'model = "drip"', more="concurrency = 1"))
        until(lambda: at.said(f"book {told['book'][:12]} is served"))
        stream = client.chat.completions.create(model="chat", messages=HELLO, stream=True)
        assert next(stream).choices
        waiting: list[Exception] = []

        def wait() -> None:
            try:
                client.chat.completions.create(model="chat", messages=HELLO)
            except openai.OpenAIError as error:
                waiting.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        until(lambda: open_holds(at) == 2)
        assert at.process
        at.process.terminate()
        with pytest.raises(openai.APIError) as caught:
            for _ in stream:
                pass
        assert caught.value.code == "gateway_stopping"
        thread.join(20)
        (error,) = waiting
        assert isinstance(error, openai.InternalServerError)
        assert (error.status_code, error.code) == (502, "gateway_stopping")
        assert at.process.wait(20) == 0
        by_status = {event.status: event for event in at.events()}
    cut, queued = by_status[Status.ESTIMATED], by_status[Status.FAILED]
    assert (cut.alarm, cut.book, queued.alarm, queued.charge) == ("supplier_gone", told["book"], "gateway_stopping", 0)
    assert cut.charge == 10_000 * (cut.counts["input"] + cut.counts["output"])
    assert cut.counts["output"] > 0


def open_holds(at: Shop) -> int:
    with Reader(at.database) as reader:
        return sum(1 for _ in reader.open_holds())


@pytest.mark.parametrize("more", ['api_key_env = "NO_SUCH_KEY"'])
def test_a_book_that_this_gateway_cannot_serve_is_an_alarm_and_the_old_one_goes_on(tmp_path: Path, supplier: Upstream, more: str) -> None:
    good = shop({"a": supplier.url("echo")}, 'model = "a"')
    with served(tmp_path, good) as at, at.client() as client:
        told = at.apply(shop({"a": supplier.url("echo")}, 'model = "a"', more=more))
        until(lambda: at.said("ALARM"))
        assert at.said("NO_SUCH_KEY")
        client.chat.completions.create(model="chat", messages=HELLO)
        assert at.events()[0].book == told["before"]
        at.apply(shop({"a": supplier.url("echo")}, 'model = "a"', rate="30"))
        until(lambda: at.said("is served instead of"))


def test_a_book_that_loses_money_is_not_applied(tmp_path: Path, supplier: Upstream) -> None:
    made = Shop(tmp_path)
    (made.folder / "book.toml").write_text(shop({"a": supplier.url("echo")}, 'model = "a"', rate="0.5"))
    refused = tokenworth("apply", str(made.folder), "--db", str(made.database))
    assert (refused.returncode, "below_cost" in refused.stderr) == (2, True)
    assert not made.database.exists()
