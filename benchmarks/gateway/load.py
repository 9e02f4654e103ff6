"""wrk: a closed loop of so many connections, each of which asks again as soon as it was answered."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from benchmarks.gateway.processes import cpu_seconds

SCRIPT = """\
wrk.method = "POST"
wrk.body = [==[{body}]==]
{headers}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nRESULT {{"requests":%d,"us":%d,"median_us":%d,"p99_us":%d,"failed":%d}}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a gateway answers, and what it wants to be told beside the prompt."""

    name: str
    base: str
    """The address before `/chat/completions`."""
    model: str = "m"
    stream: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    pid: int = 0
    """Of the gateway's first process; 0 where its processor time is not asked for."""

    @property
    def url(self) -> str:
        """The address of the request."""
        return f"{self.base}/chat/completions"

    @property
    def body(self) -> bytes:
        """The request: some 600 bytes of prompt."""
        prompt = "What does a token cost to make, and what is it worth? " * 10
        content = {"model": self.model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 50}
        return orjson.dumps({**content, "stream": True} if self.stream else content)

    @property
    def sent(self) -> Mapping[str, str]:
        """The headers of the request."""
        return {"content-type": "application/json", "authorization": "Bearer sk-none", **self.headers}


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers a second, milliseconds of one (the median and the 99th percentile), and microseconds of processor that the gateway spent on one."""

    rate: float
    median: float
    p99: float
    cpu: float


def check(target: Target) -> None:
    """Send one request and look at the answer: SystemExit where it is not what the upstream said."""
    request = urllib.request.Request(target.url, target.body, dict(target.sent), method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = response.read()
    if target.stream:
        texts = [json.loads(line[6:]) for line in answer.splitlines() if line.startswith(b"data: {")]
        said = "".join((choice["delta"].get("content") or "") for text in texts for choice in text.get("choices") or [])
        good = said.split() == ["word"] * 20
    else:
        content = json.loads(answer)
        good = content["choices"][0]["message"]["content"].startswith("Hello") and content["usage"]["completion_tokens"] == 20
    if not good:
        raise SystemExit(f"{target.name} answers {answer[:2000]!r}")


def load(target: Target, *, connections: int, seconds: float, folder: Path) -> Measured:
    """Load a target; SystemExit where any answer is not good."""
    script = folder / "wrk.lua"
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in target.sent.items())
    script.write_text(SCRIPT.format(body=target.body.decode(), headers=headers))
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is needed: apt-get install wrk")
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s", "-s", str(script), target.url]
    before = cpu_seconds(target.pid) if target.pid else 0
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spent = cpu_seconds(target.pid) - before if target.pid else 0
    result = json.loads(next(line for line in told.splitlines() if line.startswith("RESULT")).removeprefix("RESULT "))
    if result["failed"] or not result["requests"]:
        raise SystemExit(f"{target.name}: {result['failed']} of {result['requests']} answers were not good")
    return Measured(result["requests"] / result["us"] * 1e6, result["median_us"] / 1e3, result["p99_us"] / 1e3, spent / result["requests"] * 1e6)
