"""A PostgreSQL server of the tests' own: a temporary directory, a free port, a Unix socket in the directory, fsync on."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

BOUND = 60
"""Seconds until the server must answer."""


def programs() -> Path:
    """Return the folder of initdb and postgres, the newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("postgres")
    if not found and on_path is None:
        raise FileNotFoundError("PostgreSQL is not installed: scripts/postgresql installs it")
    return found[-1].parent if found else Path(str(on_path)).parent


def as_owner(*command: str) -> list[str]:
    """Return a command as it must run: PostgreSQL refuses root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


class Server:
    """A server with databases that are made for the asking."""

    def __init__(self, *settings: str) -> None:
        """Make the directory of data and start; `settings` are NAME=VALUE."""
        self.folder = Path(tempfile.mkdtemp(prefix="tokenworth-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._bin = programs()
        self._settings = settings
        self._made = 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._log = (self.folder.parent / f"{self.folder.name}.log").open("wb")
        command = as_owner(str(self._bin / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C")
        subprocess.run(command, check=True, stdout=self._log, stderr=self._log, cwd="/")
        self.start()

    def start(self) -> None:
        """Start the server on its data and wait until it answers."""
        given = {"port": str(self.port), "unix_socket_directories": str(self.folder), "listen_addresses": "127.0.0.1", "fsync": "on"}
        options = [f"{name}={value}" for name, value in given.items()] + list(self._settings)
        command = as_owner(str(self._bin / "postgres"), "-D", str(self.folder / "data"), *(part for option in options for part in ("-c", option)))
        end = time.monotonic() + BOUND
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, cwd="/")
        while subprocess.run([self._bin / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)], check=False).returncode:
            assert time.monotonic() < end, Path(self._log.name).read_text()
            time.sleep(0.02)
            if self._process.poll() is not None:
                # what a killed server left behind is still ending
                self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, cwd="/")

    def kill(self) -> None:
        """End all of the server at once, as a crash of the machine would."""
        postmaster = (self.folder / "data" / "postmaster.pid").read_text().split()[0]
        children = subprocess.run(["pgrep", "-P", postmaster], check=False, capture_output=True, text=True).stdout
        for process in (postmaster, *children.split()):
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop the server and remove what it stored."""
        data = str(self.folder / "data")
        subprocess.run(as_owner(str(self._bin / "pg_ctl"), "-D", data, "-m", "immediate", "-s", "stop"), check=False, cwd="/", stderr=self._log)
        self._process.wait()
        self._log.close()
        Path(self._log.name).unlink()
        shutil.rmtree(self.folder)

    def psql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement and return what it printed, columns parted by bars."""
        place = ["-U", "postgres", "-h", str(self.folder), "-p", str(self.port), "-d", database]
        command = [str(self._bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *place, "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def database(self) -> str:
        """Make an empty database and return its connection string."""
        self._made += 1
        name = f"ledger{self._made}"
        self.psql(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, and end who is connected to it."""
        self.psql(f"DROP DATABASE {url.partition('?')[0].rpartition('/')[2]} WITH (FORCE)")

    def url(self, name: str) -> str:
        """Return the connection string of a database."""
        return f"postgresql://postgres@/{name}?host={self.folder}&port={self.port}"


@cache
def server() -> Server:
    """Return the server that the tests of this process share, started when it is first asked for."""
    return Server()


def stop_server() -> None:
    """Stop the shared server, if a test asked for it."""
    if server.cache_info().currsize:
        server().stop()
