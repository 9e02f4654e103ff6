"""tokenworth in front of the mocks: a book, a customer on each plan, and `tokenworth serve`, all by its own commands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.load import Target
from benchmarks.gateway.processes import free_port, running

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
BOOK = """\
[book]
name = "benchmark"

[suppliers.whole]
kind = "openai"
base_url = "http://127.0.0.1:{whole}/v1"

[suppliers.stream]
kind = "openai"
base_url = "http://127.0.0.1:{stream}/v1"

[models.whole]
supplier = "whole"
name = "m"
context = 128000
max_output = 4096

[models.stream]
supplier = "stream"
name = "m"
context = 128000
max_output = 4096

[[models.whole.cost]]
from = 2026-01-01
input = "0.25"
cache_read = "0.025"
output = "2"

[[models.stream.cost]]
from = 2026-01-01
input = "0.25"
cache_read = "0.025"
output = "2"

[products.whole]
model = "whole"

[products.stream]
model = "stream"

[[cards.standard.rates]]
product = "whole"
from = 2026-01-01
input = "150"
cache_read = "15"
output = "900"

[[cards.standard.rates]]
product = "stream"
from = 2026-01-01
input = "150"
cache_read = "15"
output = "900"

[plans.prepaid]
card = "standard"
credit_price = "0.01"

[plans.postpaid]
card = "standard"
credit_price = "0.01"
credit_line = "1000000000"
postpaid = true
"""


@dataclass(frozen=True, slots=True)
class Ours:
    """A gateway that runs: its process, and a key by plan."""

    pid: int
    port: int
    keys: dict[str, str]

    def target(self, plan: str, *, stream: bool) -> Target:
        """Return where a customer on a plan asks."""
        base, headers = f"http://127.0.0.1:{self.port}/v1", {"authorization": f"Bearer {self.keys[plan]}"}
        return Target(f"tokenworth, {plan}", base, model="stream" if stream else "whole", stream=stream, headers=headers, pid=self.pid)


def tokenworth(*arguments: str) -> str:
    """Run a command; return what it prints."""
    command = [sys.executable, "-m", "tokenworth", *arguments]
    return subprocess.run(command, env={**os.environ, **ENVIRONMENT}, check=True, capture_output=True, text=True).stdout


@contextmanager
def ours(folder: Path, whole: int, stream: int, *, options: Sequence[str] = ()) -> Iterator[Ours]:
    """Serve the book on a new ledger until the block ends; `options` go to `tokenworth serve`."""
    folder.mkdir(parents=True)
    book, database, port = folder / "book", str(folder / "ledger.db"), free_port()
    book.mkdir()
    (book / "book.toml").write_text(BOOK.format(whole=whole, stream=stream))
    keys = {}
    for plan in ("prepaid", "postpaid"):
        tokenworth("customers", "add", plan, "--plan", plan, "--book", str(book), "--db", database)
        if plan == "prepaid":
            tokenworth("grants", "add", plan, "1000000000", "--source", "paid", "--paid", "10000000", "--db", database)
        keys[plan] = json.loads(tokenworth("keys", "add", plan, "--db", database, "--json"))["secret"]
    serve = [sys.executable, "-m", "tokenworth", "serve", str(book), "--db", database, "--port", str(port), *options]
    with running(serve, log=folder / "serve.log", port=port, environment=ENVIRONMENT) as process:
        yield Ours(process.pid, port, keys)
    tokenworth("ledger", "verify", "--db", database)
