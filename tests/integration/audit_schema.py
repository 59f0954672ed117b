"""A schema of a test's own, and events written into it by the auditor's writer, without a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg import sql

from services.auditor.database.migrate import migrate
from services.auditor.entry import Entry
from services.auditor.writing.store import Batch, Store
from tradetrail.events import Event, to_datum
from tradetrail.log.codec import Decoded
from tradetrail.log.reader import Received

WRITER = "tradetrail_writer"
APPENDED = datetime(2026, 1, 1, tzinfo=UTC)

# What verification compares: rows of one side alone, or stored in another form (1.0 and 1.00).
_DRIFT: LiteralString = """
SELECT coalesce(l.decision_id, r.decision_id)
FROM trades l FULL JOIN trades_computed r USING (decision_id)
WHERE ROW(l.*)::record *<> ROW(r.*)::record
"""


@contextmanager
def fresh_schema(dsn: str, revision: str = "head") -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """Yield a fresh schema and an owner's connection with it on the search path."""
    name = f"audit_{uuid4().hex[:8]}"
    migrate(dsn, name, revision=revision)
    with psycopg.connect(dsn, autocommit=True, options=f"-c search_path={name}") as connection:
        yield name, connection
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def entries_of(placed: Iterable[tuple[str, str, Event]]) -> list[Entry]:
    """Return events, each as (topic, key, event), as they would stand in their topics, a second apart."""
    found: list[Entry] = []
    offsets: dict[str, int] = {}
    for count, (topic, key, event) in enumerate(placed):
        offset = offsets.get(topic, 0)
        offsets[topic] = offset + 1
        appended = APPENDED + timedelta(seconds=count)
        message = Received(topic, 0, offset, key.encode(), b"-", appended)
        found.append(Entry(message, Decoded(event.TYPE, 1, to_datum(event))))
    return found


def write(dsn: str, schema: str, entries: Iterable[Entry]) -> None:
    """Write entries as an auditor does, in one batch."""
    kept = list(entries)
    store = Store(dsn, schema, WRITER)
    try:
        ends = {entry.message.place: entry.message.offset + 1 for entry in kept}
        starts = store.positions(ends)
        store.write(Batch(kept, starts, ends), {1: ("test", "{}")})
    finally:
        store.close()


def drift(connection: psycopg.Connection[Any]) -> list[Any]:
    """Return the decisions whose trade is not what it must be."""
    return connection.execute(_DRIFT).fetchall()
