"""A budget of the plan, over HTTP: each key has its own, what is held counts, and the refusal says until when."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.support.gateway import ROOT, free_port, until
from tokenworth.core.instants import parse_instant

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
HELLO: Any = [{"role": "user", "content": "hello"}]
# a few requests of 100 tokens
BUDGET = '\n[[plans.payg.budgets]]\nsubject = "key:*"\nwindow = "month"\nlimit = "0.5"\n'


def tokenworth(*arguments: str) -> Any:
    command = [sys.executable, "-m", "tokenworth", *arguments, "--json"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def ask(port: int, secret: str, most: int) -> Any:
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=secret) as client:
        return client.chat.completions.with_raw_response.create(model="chat", messages=HELLO, max_completion_tokens=most)


def test_a_key_spends_no_more_than_its_budget(tmp_path: Path) -> None:
    book, database, port = tmp_path / "book", str(tmp_path / "ledger.db"), free_port()
    tokenworth("init", str(book))
    plans = book / "plans.toml"
    plans.write_text(plans.read_text().replace("\n[plans.pro]", f"{BUDGET}\n[plans.pro]"))
    tokenworth("customers", "add", "acme", "--plan", "payg", "--book", str(book), "--db", database)
    tokenworth("grants", "add", "acme", "1000", "--db", database)
    one, two = (tokenworth("keys", "add", "acme", "--db", database)["secret"] for _ in range(2))
    log = tmp_path / "serve.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "tokenworth", "serve", str(book), "--db", database, "--port", str(port)]
        serving = subprocess.Popen(command, env=ENVIRONMENT, stdout=out, stderr=out)
    try:
        until(lambda: "client.chat" in log.read_text(), seconds=20)
        charged = Decimal(0)
        with pytest.raises(openai.RateLimitError) as refused:  # noqa: PT012 - which request it is depends on the trace
            while charged <= Decimal("0.5"):
                charged += Decimal(ask(port, one, 100).headers["x-tokenworth-charge"])
        assert 0 < charged <= Decimal("0.5")
        error: Any = refused.value.body
        assert (refused.value.code, error["unit"]) == ("budget_exceeded", "credits")
        assert parse_instant(error["until"]) > 0
        # another key has a budget of its own
        assert ask(port, two, 100).http_response.status_code == 200
    finally:
        serving.terminate()
        assert serving.wait(20) == 0
    assert tokenworth("ledger", "verify", "--db", database)["verified"] is True
