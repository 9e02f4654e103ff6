"""PostgreSQL as what is killed: a server of the store's own, the process under load, or both."""

import random
import signal
import subprocess
import time

from tests.support.postgres import Server
from tests.support.postgres_engine import Postgres

MORE = 0.4
"""Seconds of load on a server that is back, at most."""


class PostgresStore(Postgres):
    """One database on a server of its own."""

    def __init__(self) -> None:
        super().__init__(Server())

    @property
    def address(self) -> str:
        return f"postgres:{self.path}"

    def strike(self, load: "subprocess.Popen[bytes]", chance: random.Random) -> None:
        """Kill the process, or all of the server, then the process: at once, or after it has gone on with the server that is back."""
        whom = chance.choice(["process", "both", "server"])
        if whom != "process":
            self.server.kill()
        if whom != "server":
            load.send_signal(signal.SIGKILL)
        if whom != "process":
            self.server.start()
        if whom == "server":
            time.sleep(chance.uniform(0, MORE))
            load.send_signal(signal.SIGKILL)

    def drop(self) -> None:
        """Stop the server and remove its data."""
        self.server.stop()
