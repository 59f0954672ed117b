"""What the contestants of the auditor's benchmark share: one log, schemas of their own, and how their pace is taken."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from benchmarks.audit_log import PARTITIONS, write_log
from benchmarks.log_rig import Running, free_port, new_log, process, until_answered
from services.auditor.database.migrate import migrate
from tradetrail.errors import Fatal
from tradetrail.log.codec import Codec
from tradetrail.log.reader import Place, end_offsets, places_of
from tradetrail.settings import SharedSettings, SymbolGroup

# Between two looks at how far a contestant is: cheap against what it does meanwhile.
_LOOK_EVERY_S = 0.05
# Without any progress for this long a contestant counts as stuck.
_STUCK_S = 120.0
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Field:
    """The log that everyone reads, and the database that everyone writes to."""

    settings: SharedSettings
    dsn: str
    topic: str
    ends: dict[Place, int]
    written: dict[str, int]

    @property
    def count(self) -> int:
        """Return how many events there are."""
        return sum(self.ends.values())


def field(
    kafka: str, registry_url: str, dsn: str, count: int, *, trades_only: bool = False
) -> Field:
    """Make a log of ``count`` mixed events in one topic, or of ``count`` decisions with what belongs to them."""
    group = SymbolGroup(name="default", patterns=("*",), partitions=PARTITIONS)
    settings = new_log(kafka, registry_url, symbol_groups=(group,))
    topic = f"{settings.topic_prefix}default"
    written = write_log(settings, Codec(registry_url), topic, count, trades_only=trades_only)
    return Field(settings, dsn, topic, end_offsets(settings, places_of(settings, [topic])), written)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many events came to rest in how many seconds."""

    events: int
    seconds: float

    @property
    def per_s(self) -> float:
        """Return events per second."""
        return self.events / self.seconds


@contextmanager
def new_schema(dsn: str) -> Iterator[str]:
    """Yield the name of a schema that is empty, and is dropped in the end."""
    name = f"bench_{uuid4().hex[:8]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        # Whoever comes next should not pay for the writes of who went before.
        connection.execute("CHECKPOINT")
    try:
        yield name
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def watched(progress: Callable[[], int], count: int) -> Pace:
    """Return the pace from the first committed batch to the last event; start-up and the first batch don't count.

    Raises Fatal when nothing moves any more.
    """
    begun = moved = time.perf_counter()
    at, first = -1, 0
    while True:
        now, here = time.perf_counter(), progress()
        if here != at:
            at, moved = here, now
        elif now - moved > _STUCK_S:
            raise Fatal(f"nothing was written for {_STUCK_S:g} s after {here} of {count} events")
        if here >= count:
            return Pace(count - first, now - begun)
        if not first:
            begun, first = now, here
        time.sleep(_LOOK_EVERY_S)


@contextmanager
def auditors(made: Field, schema: str, number: int, **more: str) -> Iterator[list[Running]]:
    """Run ``number`` auditors on the log into ``schema``, migrated first; ``more`` are settings without prefix."""
    migrate(made.dsn, schema)
    with ExitStack() as running:
        found = []
        for _ in range(number):
            port = free_port()
            env = {
                **os.environ,
                **log_environment(made.settings),
                "TRADETRAIL_POSTGRES_DSN": made.dsn,
                "TRADETRAIL_POSTGRES_SCHEMA": schema,
                "TRADETRAIL_HTTP_PORT": str(port),
                **{f"TRADETRAIL_{name}": value for name, value in more.items()},
            }
            popen = running.enter_context(process([sys.executable, "-m", "services.auditor"], env))
            found.append(Running(f"http://127.0.0.1:{port}", popen))
        yield found


def log_environment(settings: SharedSettings) -> dict[str, str]:
    """Return the environment that leads a process to this log."""
    groups = ",".join(group.model_dump_json() for group in settings.symbol_groups)
    return {
        "TRADETRAIL_KAFKA": settings.kafka,
        "TRADETRAIL_REGISTRY_URL": settings.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": settings.topic_prefix,
        "TRADETRAIL_SYMBOL_GROUPS": f"[{groups}]",
        "TRADETRAIL_LOG_LEVEL": "warning",
    }


def audited(made: Field, schema: str, number: int = 1, **more: str) -> tuple[Pace, float, float]:
    """Let auditors write the log into ``schema``; return pace, largest peak of memory (MB) and SQL statements."""
    with auditors(made, schema, number, **more) as running:
        pace = watched(lambda: positions(made, schema), made.count)
        for each in running:
            until_answered(f"{each.url}/metrics")
        name = "tradetrail_auditor_statements_total"
        statements = sum(each.metrics().get(name, 0.0) for each in running)
        return pace, max(peak_mb(each.popen.pid) for each in running), statements


def positions(made: Field, schema: str) -> int:
    """Return how many events of the log the audit in ``schema`` has."""
    query = sql.SQL(
        "SELECT COALESCE(sum(next_offset), 0)::bigint FROM {}.positions WHERE topic = %s"
    )
    return int(scalar(made.dsn, query.format(sql.Identifier(schema)), made.topic))


def scalar(dsn: str, query: sql.Composed, *arguments: Any) -> Any:
    """Return the one value that ``query`` finds."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query, arguments).fetchone()
    return row[0] if row else None


def peak_mb(pid: int) -> float:
    """Return the largest resident memory that a running process had, MB."""
    [kbytes] = re.findall(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(kbytes) * 1024 / _MB
