"""Runs real auditors against a schema of the test's own, and reads what the log and the database hold."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import requests
from psycopg import sql

from services.auditor.database.migrate import migrate
from services.auditor.tables import TABLES
from tests.eventually import eventually
from tests.faults.nursery import Forked, Nursery, nursery
from tests.free_port import free_port
from tests.integration.fresh_log import fresh_log
from tests.typed_command import Ran, typed
from tradetrail.events import Event
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import end_offsets, places_of, read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# A stop ends at a batch boundary; the service promises 10 s, on a machine of its own.
STOP_TIMEOUT_S = 60.0


# As much of each auditor's last words as a failure shows, characters.
_SAID_MAX = 10_000


@dataclass
class Audit:
    """A log, a schema and the auditors that connect them."""

    log: SharedSettings
    dsn: str
    schema: str = field(default_factory=lambda: f"audit_{uuid4().hex[:8]}")
    processes: list[Forked] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the schema."""
        migrate(self.dsn, self.schema)
        self.topics = Topics.of(self.log)
        self.producer = EventProducer(self.log, Codec(self.log.registry_url))

    def start(self, **settings: str) -> Running:
        """Start one auditor; ``settings`` are environment variables without their prefix."""
        port = free_port()
        env = {
            "TRADETRAIL_KAFKA": self.log.kafka,
            "TRADETRAIL_REGISTRY_URL": self.log.registry_url,
            "TRADETRAIL_TOPIC_PREFIX": self.log.topic_prefix,
            "TRADETRAIL_POSTGRES_DSN": self.dsn,
            "TRADETRAIL_POSTGRES_SCHEMA": self.schema,
            "TRADETRAIL_HTTP_PORT": str(port),
        }
        named = {f"TRADETRAIL_{name}": value for name, value in settings.items()}
        said = _folder() / f"auditor-{uuid4().hex}.log"
        process = _nursery().fork(said, {**os.environ, **env, **named})
        self.processes.append(process)
        self.logs.append(said)
        return Running(process, f"http://127.0.0.1:{port}")

    def send(self, placed: Iterable[tuple[str, str, Event]]) -> list[tuple[str, int, int]]:
        """Send events, each as (topic without prefix, key, event); return where each landed."""
        return self.producer.send(
            [Outgoing(self.log.topic_prefix + t, key, ev) for t, key, ev in placed]
        )

    def wait_audited(self, within_s: float = 120.0) -> None:
        """Wait until the database's positions are the log's ends."""
        places = places_of(self.log, self.topics.all())

        def behind() -> dict[str, tuple[int, int]]:
            ends = end_offsets(self.log, places, committed_only=False)
            with psycopg.connect(self.dsn) as connection:
                query = sql.SQL("SELECT topic, partition, next_offset FROM {}.positions")
                found = connection.execute(query.format(sql.Identifier(self.schema))).fetchall()
            at = {(topic, partition): offset for topic, partition, offset in found}
            return {
                f"{t}/{p}": (at.get((t, p), 0), end)
                for (t, p), end in ends.items()
                if at.get((t, p), 0) != end
            }

        eventually(behind, lambda left: not left, within_s=within_s, every_s=0.2)

    def report(self, *words: str) -> Ran:
        """Run ``tradetrail report`` on this audit."""
        env = {"TRADETRAIL_POSTGRES_DSN": self.dsn, "TRADETRAIL_POSTGRES_SCHEMA": self.schema}
        return typed("report", *words, env=env)

    def rows(self, statement: LiteralString, **arguments: Any) -> list[tuple[Any, ...]]:
        """Return a query's rows; unqualified names are of this audit's schema."""
        with psycopg.connect(self.dsn, options=f"-c search_path={self.schema}") as connection:
            return connection.execute(statement, arguments).fetchall()

    def tables(self) -> dict[str, list[Any]]:
        """Return every row of every typed table, sorted, as JSON; but not what auditors record of themselves."""
        found = {}
        for name in TABLES:
            query = f'SELECT row_to_json(t)::text FROM "{name}" AS t ORDER BY 1'
            found[name] = [text for (text,) in self.rows(query) if '"scope":"auditor"' not in text]
        return found

    def differences(self) -> list[str]:
        """Return how the events of log and database differ: missing, extra, doubled or altered ones."""
        logged = {
            (m.topic, m.partition, m.offset): (m.key, m.value, m.appended_at)
            for m in read_all(self.log, self.topics.all())
        }
        kept = self.rows('SELECT topic, partition, "offset", key, value, available_at FROM events')
        stored = {tuple(row[:3]): tuple(row[3:]) for row in kept}
        found = [f"missing {place}" for place in logged.keys() - stored.keys()]
        found += [f"extra {place}" for place in stored.keys() - logged.keys()]
        found += [f"altered {p}" for p in logged.keys() & stored.keys() if logged[p] != stored[p]]
        return found + [f"doubled: {len(kept)} rows, {len(stored)} places"] * (
            len(kept) != len(stored)
        )

    def drop(self) -> None:
        """Stop what still runs and drop the schema."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        # Captured, so it is shown beside a failure only.
        for said in self.logs:
            sys.stderr.write(said.read_text(errors="replace")[-_SAID_MAX:])
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(self.schema))
            )


@cache
def _nursery() -> Nursery:
    """Return where auditors are born, in milliseconds each; it ends with this process."""
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(nursery("services.auditor"))


@cache
def _folder() -> Path:
    folder = Path(mkdtemp(prefix="tradetrail-auditors-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass
class Running:
    """One auditor process."""

    process: Forked
    url: str

    def health(self) -> requests.Response:
        """Return what /health answers."""
        return requests.get(f"{self.url}/health", timeout=30)

    def get(self, path: str, accept: str = "*/*") -> requests.Response:
        """Ask the API for ``path``."""
        return requests.get(f"{self.url}{path}", headers={"Accept": accept}, timeout=60)

    def wait_ready(self) -> Running:
        """Wait until it answers that it is ready."""
        eventually(self.health, lambda answer: answer.status_code == 200)
        return self

    def kill(self) -> None:
        """End it without warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop; return its exit code. Fails when it does not end."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT_S)


def told_by_pages(
    page: Callable[[int, str | None], dict[str, Any]], what: str, limit: int
) -> list[Any]:
    """Return the rows ``what`` of all pages of a listing; ``page`` is asked for limit and cursor.

    Fails when the pages don't end, or when their totals differ.
    """
    first = page(limit, None)
    rows, after = list(first[what]), first["next"]
    for _ in range(first["totals"][what]):
        if after is None:
            break
        following = page(limit, after)
        assert following["totals"] == first["totals"]
        rows += following[what]
        after = following["next"]
    assert after is None
    return rows


@contextmanager
def audited_log(
    stack: Any, placed: Iterable[tuple[str, str, Event]]
) -> Iterator[tuple[Audit, Running]]:
    """Make a log of its own that holds ``placed``, and an audit of it with its auditor, caught up."""
    with audit_of(fresh_log(stack), stack.addresses.postgres_dsn) as audit:
        audit.send(placed)
        auditor = audit.start().wait_ready()
        audit.wait_audited()
        yield audit, auditor


@contextmanager
def audit_of(log: SharedSettings, dsn: str) -> Iterator[Audit]:
    """Make an audit and take it away again."""
    audit = Audit(log, dsn)
    try:
        yield audit
    finally:
        audit.drop()
