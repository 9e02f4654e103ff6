"""Other gateways, each installed into a folder of its own the first time, and run in front of an upstream.

They keep no accounts here: LiteLLM without a database, TensorZero without observability, Portkey and SMG as they come.
"""

import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from benchmarks.gateway.load import Target
from benchmarks.gateway.processes import free_port, running

Start = Callable[[Path, int, bool], AbstractContextManager[Target]]
"""Runs a peer, installed in a folder, in front of the upstream at a port, for whole answers or for streams."""

LITELLM = """\
model_list:
  - model_name: m
    litellm_params: {{model: openai/m, api_base: "http://127.0.0.1:{port}/v1", api_key: sk-none}}
litellm_settings: {{telemetry: false}}
"""
PORTKEY = {
    "name": "peer",
    "private": True,
    "dependencies": {"@portkey-ai/gateway": "1.15"},
    "overrides": {"hono": "4.9.7", "@hono/node-server": "1.13.5"},
}
TENSORZERO = """\
[gateway]
observability.enabled = false
[models.m]
routing = ["mock"]
[models.m.providers.mock]
type = "openai"
model_name = "m"
api_base = "http://127.0.0.1:{port}/v1/"
api_key_location = "none"
"""
TENSORZERO_START = """\
import sys, time, tensorzero
gateway = tensorzero._start_http_gateway(config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)
print("BASE", gateway.base_url, flush=True)
time.sleep(1e6)
"""


def _environment(folder: Path, package: str) -> Path:
    """Return the `bin` of a virtual environment with a package from PyPI."""
    binaries, done = folder / "bin", folder / f"installed-{package.replace('/', '_')}"
    if not done.exists():
        print(f"installing {package} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(binaries / "pip"), "install", "-q", "--disable-pip-version-check", package], check=True, stderr=subprocess.DEVNULL)
        done.touch()
    return binaries


@contextmanager
def litellm(folder: Path, upstream: int, stream: bool) -> Iterator[Target]:
    """Run LiteLLM's proxy with one worker."""
    binaries, port = _environment(folder, "litellm[proxy]==1.106.*"), free_port()
    config = folder / f"config-{port}.yaml"
    config.write_text(LITELLM.format(port=upstream))
    command = [str(binaries / "litellm"), "--config", str(config), "--port", str(port), "--host", "127.0.0.1", "--num_workers", "1"]
    key = f"sk-{secrets.token_hex(32)}"
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_MASTER_KEY": key}
    with running(command, log=folder / f"{port}.log", port=port, environment=environment) as process:
        yield Target("LiteLLM", f"http://127.0.0.1:{port}/v1", stream=stream, pid=process.pid, headers={"authorization": f"Bearer {key}"})


@contextmanager
def portkey(folder: Path, upstream: int, stream: bool) -> Iterator[Target]:
    """Run Portkey's gateway on Node."""
    if not (folder / "node_modules").exists():
        print("installing @portkey-ai/gateway ...", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps(PORTKEY))
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    port = free_port()
    command = ["node", str(folder / "node_modules/@portkey-ai/gateway/build/start-server.js"), f"--port={port}", "--headless"]
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1"}
    with running(command, log=folder / f"{port}.log", port=port, environment={"NODE_ENV": "production"}) as process:
        yield Target("Portkey", f"http://127.0.0.1:{port}/v1", stream=stream, headers=headers, pid=process.pid)


@contextmanager
def tensorzero(folder: Path, upstream: int, stream: bool) -> Iterator[Target]:
    """Run TensorZero's gateway, which its Python package has inside."""
    python = _environment(folder, "tensorzero==2026.6.*") / "python"
    config, log = folder / f"{upstream}.toml", folder / f"{upstream}.log"
    config.write_text(TENSORZERO.format(port=upstream))
    with log.open("wb") as out:
        process = subprocess.Popen([str(python), "-c", TENSORZERO_START, str(config)], stdout=out, stderr=out)
    try:
        until = time.monotonic() + 60
        while not (found := re.search(r"^BASE (\S+)$", log.read_text(), re.MULTILINE)):
            if time.monotonic() > until or process.poll() is not None:
                raise SystemExit(f"TensorZero does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield Target("TensorZero", found[1], model="tensorzero::model_name::m", stream=stream, pid=process.pid)
    finally:
        process.kill()
        process.wait()


@contextmanager
def smg(folder: Path, upstream: int, stream: bool) -> Iterator[Target]:
    """Run the Shepherd Model Gateway."""
    binaries, port = _environment(folder, "smg==1.13.*"), free_port()
    where = ["--worker-urls", f"http://127.0.0.1:{upstream}", "--host", "127.0.0.1", "--port", str(port)]
    command = [str(binaries / "smg"), "launch", "--backend", "openai", *where, "--prometheus-port", str(free_port()), "--log-level", "warn"]
    with running(command, log=folder / f"{port}.log", port=port) as process:
        # it learns of its upstream after it listens
        time.sleep(3)
        yield Target("SMG", f"http://127.0.0.1:{port}/v1", stream=stream, pid=process.pid)


PEERS: Mapping[str, Start] = {"LiteLLM": litellm, "Portkey": portkey, "TensorZero": tensorzero, "SMG": smg}


@contextmanager
def peers(cache: Path, upstream: int, *, stream: bool, names: frozenset[str]) -> Iterator[list[Target]]:
    """Run the named peers until the block ends, each from a folder of the cache."""
    with ExitStack() as stack:
        chosen = {name: start for name, start in PEERS.items() if name in names}
        yield [stack.enter_context(start(cache / name.lower(), upstream, stream)) for name, start in chosen.items()]
