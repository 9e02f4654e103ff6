"""`tokenworth serve --workers 2`: both serve, one ledger counts, a dead worker is replaced, and nobody is left behind."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clients import send_all, statuses
from tests.support.gateway import ROOT, add_customer, free_port, until
from tests.support.postgres import server
from tokenworth.capture.events import Status
from tokenworth.cli import main
from tokenworth.core.money import NANO
from tokenworth.store.sqlite.reader import Reader
from tokenworth.wiring.ledgers import Where, verify

BODY = {"model": "chat", "messages": [{"role": "user", "content": "go"}], "max_tokens": 40, "seed": 1}
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


@dataclass
class Team:
    """A gateway with two workers."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> set[int]:
        """Return the processes that listen, which are those that have the port's connections."""
        return {pid for pid in children(self.process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}

    def refused(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                return False
        except OSError:
            return True


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@contextmanager
def team(folder: Path, database: Where, *, hold_seconds: int = 2, exits: int = 0) -> Iterator[Team]:
    book = folder / "book"
    if not book.exists():
        with pytest.raises(SystemExit):
            main(["init", str(book)])
        suppliers = book / "suppliers.toml"
        suppliers.write_text(re.sub(r"^speed = 20", "speed = 1", suppliers.read_text(), flags=re.MULTILINE))
    port, log = free_port(), folder / "serve.log"
    options = ["--db", str(database), "--port", str(port), "--workers", "2", "--hold-seconds", str(hold_seconds)]
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-m", "tokenworth", "serve", str(book), *options], env=ENVIRONMENT, stdout=out, stderr=out)
    made = Team(process, port, log)
    try:
        until(lambda: f":{port}/v1" in log.read_text() or process.poll() is not None, seconds=30)
        assert process.poll() is None, log.read_text()[-3000:]
        yield made
    finally:
        process.terminate()
        try:
            assert process.wait(30) == exits, log.read_text()[-3000:]
        finally:
            process.kill()


def connections(pid: int) -> int:
    """Return how many sockets a process has more than a worker without clients."""
    return sum(str(each.readlink()).startswith("socket:") for each in Path(f"/proc/{pid}/fd").iterdir()) - 8


def open_holds(database: Path) -> int:
    with Reader(database) as reader:
        return sum(1 for _ in reader.open_holds())


def test_both_workers_serve_from_one_ledger_and_a_stop_ends_open_requests_first(tmp_path: Path) -> None:
    database = tmp_path / "l.db"
    secret = add_customer(database, "ada", 1_000 * NANO)

    async def stopped_midway() -> dict[int, int]:
        sending = asyncio.create_task(send_all(running.url, secret, [BODY, {**BODY, "stream": True}] * 20, at_once=40))
        await asyncio.to_thread(until, lambda: open_holds(database) == 40)
        assert await asyncio.to_thread(lambda: {connections(pid) > 5 for pid in running.workers()}) == {True}
        running.process.terminate()
        return statuses(await sending)

    with team(tmp_path, database, hold_seconds=60) as running:
        workers = running.workers()
        assert len(workers) == 2
        assert asyncio.run(stopped_midway()) == {200: 40}
        assert running.process.wait(20) == 0
        assert not any(map(alive, workers))
    with Reader(database) as reader:
        assert [event.status for event in reader.read()] == [Status.OK] * 40
    assert open_holds(database) == 0
    assert verify(database).problems == []


def test_a_dead_worker_is_replaced_and_its_holds_run_out(tmp_path: Path) -> None:
    database = tmp_path / "l.db"
    secret = add_customer(database, "ada", 1_000 * NANO)

    async def killed_midway() -> list[int]:
        sending = asyncio.create_task(send_all(running.url, secret, [BODY] * 40, at_once=40))
        await asyncio.to_thread(until, lambda: open_holds(database) == 40)
        os.kill(min(running.workers()), signal.SIGKILL)
        return [one.status for one in await sending]

    with team(tmp_path, database) as running:
        before = running.workers()
        got = asyncio.run(killed_midway())
        # those of the other worker are answered
        assert 0 < got.count(200) < 40
        until(lambda: len(running.workers() - before) == 1 and open_holds(database) == 0, seconds=20)
        assert "died (-9)" in running.log.read_text()
        until(lambda: not running.refused())
        again = asyncio.run(send_all(running.url, secret, [BODY] * 20, at_once=20))
        assert {one.status for one in again} == {200}
    with Reader(database) as reader:
        events = list(reader.read())
    assert sum(event.status is Status.LOST for event in events) == 40 - got.count(200)
    assert verify(database).problems == []


def test_without_the_first_process_nobody_serves(tmp_path: Path) -> None:
    database = tmp_path / "l.db"
    add_customer(database, "ada", 1_000 * NANO)
    with team(tmp_path, database, exits=-9) as running:
        workers = running.workers()
        running.process.kill()
        until(lambda: not any(map(alive, workers)), seconds=5)
        assert running.refused()


def test_a_port_is_taken_while_workers_start(tmp_path: Path) -> None:
    database = tmp_path / "l.db"
    add_customer(database, "ada", 1_000 * NANO)
    with team(tmp_path, database) as running:
        second = [sys.executable, "-m", "tokenworth", "serve", str(tmp_path / "book"), "--db", str(database), "--port", str(running.port)]
        for more in ([], ["--workers", "2"]):
            refused = subprocess.run([*second, *more], env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False)
            assert (refused.returncode, "[port]" in refused.stderr) == (2, True), refused.stderr


def test_on_postgresql_each_worker_has_its_own_connection(tmp_path: Path) -> None:
    url = server().database()
    try:
        book = tmp_path / "book"
        secrets = []

        def tokenworth(*arguments: str) -> str:
            command = [sys.executable, "-m", "tokenworth", *arguments, "--db", url, "--json"]
            return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True).stdout

        subprocess.run([sys.executable, "-m", "tokenworth", "init", str(book)], env=ENVIRONMENT, check=True, capture_output=True)
        tokenworth("customers", "add", "ada", "--plan", "payg", "--book", str(book))
        tokenworth("grants", "add", "ada", "1000", "--source", "paid", "--paid", "10")
        secrets.append(json.loads(tokenworth("keys", "add", "ada"))["secret"])
        with team(tmp_path, url) as running:
            got = asyncio.run(send_all(running.url, secrets[0], [BODY] * 40, at_once=20))
            assert {one.status for one in got} == {200}
        assert verify(url).problems == []
    finally:
        server().drop(url)
