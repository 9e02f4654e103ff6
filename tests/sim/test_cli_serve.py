"""`tokenworth serve` on the starter book, from an empty folder to a charged answer, by the commands that it prints."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai

from tests.support.gateway import ROOT, free_port, until
from tokenworth.core.money import parse_amount

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
HELLO: Any = [{"role": "user", "content": "hello"}]


def tokenworth(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tokenworth", *arguments]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)


def test_the_printed_commands_lead_to_a_charged_answer(tmp_path: Path) -> None:
    book, database, port = str(tmp_path / "book"), str(tmp_path / "ledger.db"), str(free_port())
    assert tokenworth("init", book).returncode == 0
    log = tmp_path / "serve.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "tokenworth", "serve", book, "--db", database, "--port", port]
        serving = subprocess.Popen(command, env=ENVIRONMENT, stdout=out, stderr=out)
    try:
        until(lambda: "client.chat" in log.read_text(), seconds=20)
        for line in re.findall(r"^  tokenworth (.*)$", log.read_text(), re.MULTILINE):
            made = tokenworth(*line.split(), "--json")
            assert made.returncode == 0, made.stderr
        granted = re.search(r"grants add acme ([0-9.]+) --paid ([0-9.]+)", log.read_text())
        assert granted
        with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=json.loads(made.stdout)["secret"], max_retries=0) as client:
            product = next(iter(client.models.list())).id
            raw = client.chat.completions.with_raw_response.create(model=product, messages=HELLO)
        charge, balance = (parse_amount(raw.headers[f"x-tokenworth-{name}"]) for name in ("charge", "balance"))
        assert charge > 0
        assert charge + balance == parse_amount(granted[1])
        assert parse_amount(granted[2]) * 100 == parse_amount(granted[1])  # the plan asks $0.01 a credit
        second = tokenworth("serve", book, "--db", database, "--port", port)
        assert (second.returncode, "[port]" in second.stderr) == (2, True)
    finally:
        serving.terminate()
        assert serving.wait(20) == 0
    assert tokenworth("ledger", "verify", "--db", database).returncode == 0


def test_a_book_with_problems_is_not_served(tmp_path: Path) -> None:
    book = tmp_path / "book"
    assert tokenworth("init", str(book)).returncode == 0
    cards = book / "cards.toml"
    assert 'output = "900"' in cards.read_text()
    cards.write_text(cards.read_text().replace('output = "900"', 'output = "9"', 1))
    refused = tokenworth("serve", str(book), "--db", str(tmp_path / "l.db"), "--port", str(free_port()))
    assert refused.returncode == 2
    # sold below cost
    assert f"{cards}:" in refused.stderr
    assert not (tmp_path / "l.db").exists()
