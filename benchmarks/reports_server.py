"""A Postgres of the benchmark's own: the local stack's, with the memory that a server for this much data is given."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from tradetrail.errors import Fatal
from tradetrail.stack.home import Home
from tradetrail.stack.ports import Ports
from tradetrail.stack.postgres import postgres_parts
from tradetrail.stack.processes import spawn

# On top of the local stack's, which are meant for a demo beside six other processes.
SETTINGS = {"shared_buffers": "2GB", "max_wal_size": "8GB"}
_INIT_MAX_S, _START_MAX_S = 90.0, 60.0
# A checkpoint of all that is in its memory comes first.
_STOP_MAX_S = 120.0
_LOOK_EVERY_S = 0.1


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run Postgres on the cluster in ``folder``, made if need be; yield its DSN; stop it in the end.

    Raises UsageError when the folder is in use, Fatal when the server does not start.
    """
    home = Home.find(folder)
    home.create()
    lock = home.lock()
    ports = Ports(home.root / "ports.json")
    try:
        *steps, part = postgres_parts(home, ports)
        for step in steps:
            if spawn(step, home, {**os.environ, **step.env}).wait(_INIT_MAX_S):
                raise Fatal(f"the cluster can't be made; see {home.log(step.name)}")
        options = [text for key, value in SETTINGS.items() for text in ("-c", f"{key}={value}")]
        server = spawn(replace(part, argv=(*part.argv, *options)), home, os.environ)
        try:
            _wait(server, part.check.target, home.log(part.name))
            yield part.check.target
        finally:
            # Its fast stop: open connections are ended, not waited for.
            server.send_signal(signal.SIGINT)
            server.wait(_STOP_MAX_S)
    finally:
        ports.close()
        os.close(lock)


def _wait(server: subprocess.Popen[bytes], dsn: str, log: Path) -> None:
    deadline = time.monotonic() + _START_MAX_S
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise Fatal(f"Postgres does not start: {error}; see {log}") from error
            time.sleep(_LOOK_EVERY_S)
