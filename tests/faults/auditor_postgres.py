"""A PostgreSQL of a campaign's own: stopped in every way, frozen, kept from growing its files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString

import psutil
import psycopg
from psycopg import sql

from tests.eventually import eventually
from tradetrail.stack.ports import Ports
from tradetrail.stack.postgres import postgres_binaries

OWNER = "owner"
# Who the auditors log in as: no superuser, so that limits and privileges count.
LOGIN = "auditor_login"
_START_S = 60.0
# What waits longer for an auditor's locks waits for ever.
_STATEMENT_TIMEOUT_MS = 300_000
# Postgres refuses to run as root.
_USER = "nobody" if os.geteuid() == 0 else None
# Segments of the smallest size: files may then be kept from growing at a size that a round reaches.
SEGMENT_BYTES = 1 << 20
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_wal_size": "64MB",
    "min_wal_size": "4MB",
    # What is tested are the processes' deaths, not the machine's.
    "fsync": "off",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}


_LIMITED = 'ulimit -S -f "$1"; shift; exec "$@"'


def _blocks(bytes_max: int | None) -> str:
    """Return a limit as ``ulimit -f`` counts it."""
    return "unlimited" if bytes_max is None else str(bytes_max // 512)


class Postgres:
    """One server on a cluster of its own."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        """Make the cluster in ``folder``, which belongs to who runs it; nothing runs yet."""
        self._folder = folder
        # Kept, so that the port is held while the server is away.
        self._ports = ports
        self.port = ports.claim("postgres")
        self._process: subprocess.Popen[bytes] | None = None
        programs = postgres_binaries()
        self._run(
            *(str(programs / "initdb"), f"--pgdata={folder / 'cluster'}", f"--username={OWNER}"),
            *("--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
            *("--lc-messages=C", "--no-sync", f"--wal-segsize={SEGMENT_BYTES >> 20}"),
        )

    def dsn(self, database: str = "postgres", user: str = OWNER, port: int | None = None) -> str:
        """Return how to reach it, through another ``port`` if given."""
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def start(self, file_bytes_max: int | None = None) -> None:
        """Start it, after a crash as well, and wait until it answers. It can't write past so many bytes of any file."""
        options = [text for key, value in _SETTINGS.items() for text in ("-c", f"{key}={value}")]
        cluster = self._folder / "cluster"
        with (self._folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [
                    *("sh", "-c", _LIMITED, "sh", _blocks(file_bytes_max)),
                    str(postgres_binaries() / "postgres"),
                    *("-D", str(cluster), "-p", str(self.port), *options),
                ],
                cwd="/",
                stdout=log,
                stderr=log,
                user=_USER,
                group="nogroup" if _USER else None,
                extra_groups=[] if _USER else None,
            )
        eventually(lambda: self.rows("postgres", "SELECT 1"), within_s=_START_S)

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it: SIGINT fast, SIGQUIT immediately, SIGKILL as the kernel's out-of-memory killer does."""
        if self._process is None:
            return
        children = self._tree()[1:]
        self._process.send_signal(number)
        self._process.wait(_START_S)
        self._process = None
        # After SIGKILL its children notice by themselves; the next start must not find them.
        _, alive = psutil.wait_procs(children, timeout=10)
        for each in alive:
            with suppress(psutil.NoSuchProcess):
                each.kill()

    def freeze(self) -> None:
        """Stop each of its processes in the middle of what it does."""
        for each in self._tree():
            with suppress(psutil.NoSuchProcess):
                each.suspend()

    def thaw(self) -> None:
        """Let them go on."""
        for each in self._tree():
            with suppress(psutil.NoSuchProcess):
                each.resume()

    def rows(
        self, database: str, statement: LiteralString | sql.Composed, *values: Any
    ) -> list[tuple[Any, ...]]:
        """Return what the owner gets for a statement; nothing for one without rows."""
        with psycopg.connect(
            self.dsn(database),
            autocommit=True,
            connect_timeout=5,
            application_name="campaign",
            options=f"-c statement_timeout={_STATEMENT_TIMEOUT_MS}",
        ) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def _tree(self) -> list[psutil.Process]:
        assert self._process is not None
        try:
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _run(self, *argv: str) -> None:
        subprocess.run(
            argv,
            check=True,
            timeout=_START_S,
            cwd="/",
            stdout=subprocess.DEVNULL,
            user=_USER,
            group="nogroup" if _USER else None,
            extra_groups=[] if _USER else None,
        )


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """Run one in a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tradetrail-faults-postgres-"))
    try:
        if _USER:
            shutil.chown(folder, _USER)
        server = Postgres(folder, Ports(folder / "ports.json"))
        try:
            server.start()
            yield server
        finally:
            with suppress(psutil.NoSuchProcess, AssertionError):
                server.thaw()
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
