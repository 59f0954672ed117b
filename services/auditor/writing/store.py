"""The database edge of the writer: one transaction per batch holds its events, its rows and the consumed positions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
import structlog
from psycopg import sql

from services.auditor.breakpoints import reached
from services.auditor.entry import Entry, NotStorable
from services.auditor.progress import STATEMENTS
from services.auditor.rows import Table
from services.auditor.tables import FACTS
from services.auditor.writing import statements
from services.auditor.writing.prepared import Prepared, prepare
from services.auditor.writing.session import MonthMissing, RowsKnown, Session
from tradetrail.errors import Retryable
from tradetrail.log.reader import Place

# Two months are made ahead: a look once a day leaves weeks for one that fails.
LOOK_AHEAD_EVERY_S = 86_400.0

log = structlog.get_logger(__name__)


class LostRace(Retryable):
    """Another auditor advanced a position of this batch: read the positions again and go on from there."""


@dataclass(slots=True)
class Batch:
    """Events in log order per partition, and how each partition's position moves with them.

    ``prepared`` is what they come to, once that was made. Clear it when the entries change.
    """

    entries: list[Entry] = field(default_factory=list)
    starts: dict[Place, int] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)
    prepared: Prepared | None = None


class Store:
    """The writer's one connection: batches from one thread, ``positions`` from any. After a failure it is made anew."""

    def __init__(self, dsn: str, schema: str, role: str) -> None:
        """Nothing is connected before the first use."""
        self._session = Session(dsn, schema, role)
        self._months: set[date] = set()
        self._look_ahead_at = 0.0
        self._schema_ids: set[int] = set()

    def positions(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the next offset to audit of each place; a place met for the first time begins at 0."""
        wanted = _columns(sorted(places))
        with self._session.use() as connection, connection.transaction():
            connection.execute(statements.ADD_POSITIONS, wanted)
            rows = connection.execute(statements.READ_POSITIONS, wanted).fetchall()
        return {(topic, partition): offset for topic, partition, offset in rows}

    def write(self, batch: Batch, schemas: dict[int, tuple[str, str]]) -> None:
        """Commit a batch: events, typed rows, positions, and ``schemas`` (id → type, text) not kept yet.

        Raises LostRace when a position isn't where the batch begins, NotStorable when the database refuses what some
        event says (``culprits`` tells which), Retryable while the database is away, Fatal without its tables.
        """
        try:
            self._write(batch, schemas, staged=False)
        except MonthMissing:
            self._months.clear()
            raise
        except RowsKnown as known:
            log.info("rows of this batch are known; it is merged into them", error=str(known))
            try:
                self._write(batch, schemas, staged=True)
            except RowsKnown as error:
                raise NotStorable(str(error)) from error
        self._schema_ids.update(schemas)

    def culprits(self, entries: Sequence[Entry]) -> list[tuple[Entry, str]]:
        """Return the entries that the database refuses, each with its reason; tried in a transaction that is undone."""
        try:
            prepared = prepare(entries)
            with self._session.use() as connection:
                # The batch may have been refused before its months were made.
                self._ensure_months(connection, {entry.month for entry in entries})
                with connection.transaction(force_rollback=True):
                    self._rows(connection, prepared, staged=True)
                    self._events(connection, prepared, staged=True)
                    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except MonthMissing:
            self._months.clear()
            raise
        except (NotStorable, RowsKnown) as error:
            if len(entries) == 1:
                return [(entries[0], str(error))]
            half = len(entries) // 2
            return self.culprits(entries[:half]) + self.culprits(entries[half:])
        return []

    def close(self) -> None:
        """Close the connection, if any."""
        self._session.close()

    def _write(self, batch: Batch, schemas: dict[int, tuple[str, str]], *, staged: bool) -> None:
        prepared = batch.prepared = batch.prepared or prepare(batch.entries)
        with self._session.use() as connection:
            self._ensure_months(connection, {entry.month for entry in batch.entries})
            with connection.transaction():
                self._advance(connection, batch)
                reached("positions_locked")
                for schema_id in sorted(schemas.keys() - self._schema_ids):
                    connection.execute(statements.ADD_SCHEMA, (schema_id, *schemas[schema_id]))
                self._events(connection, prepared, staged=staged)
                reached("events_copied")
                self._rows(connection, prepared, staged=staged)
                reached("before_commit")

    def _ensure_months(self, connection: psycopg.Connection[Any], months: set[date]) -> None:
        # In a transaction of its own: a new partition must not wait for, or hold up, another auditor's batch.
        for month in sorted(months - self._months):
            with connection.transaction():
                connection.execute(statements.ENSURE_MONTH, (month,))
            self._months.add(month)
        if time.monotonic() >= self._look_ahead_at:
            # And those to come, so that no batch has to make the month that it needs.
            with connection.transaction():
                connection.execute(statements.ENSURE_MONTHS_AHEAD)
            self._look_ahead_at = time.monotonic() + LOOK_AHEAD_EVERY_S

    def _advance(self, connection: psycopg.Connection[Any], batch: Batch) -> None:
        places = sorted(batch.ends)
        held = _columns(places)
        found = {
            (topic, partition): offset
            for topic, partition, offset in connection.execute(statements.LOCK_POSITIONS, held)
        }
        if moved := [place for place in places if found.get(place) != batch.starts[place]]:
            raise LostRace(f"another auditor is past us in {moved}: continuing from its positions")
        to = [batch.ends[place] for place in places]
        connection.execute(statements.ADVANCE_POSITIONS, held | {"to": to})
        # Beside these two, the transaction's begin and end.
        STATEMENTS.inc(4)

    def _events(
        self, connection: psycopg.Connection[Any], prepared: Prepared, *, staged: bool
    ) -> None:
        if not prepared.events:
            return
        with connection.cursor() as cursor:
            with cursor.copy(statements.copy_events(staged)) as copy:
                for block in prepared.event_blocks():
                    copy.write(block)
            STATEMENTS.inc()
            if staged:
                cursor.execute(statements.UNSTAGE_EVENTS)
                STATEMENTS.inc()

    def _rows(
        self, connection: psycopg.Connection[Any], prepared: Prepared, *, staged: bool
    ) -> None:
        for rows in prepared.tables:
            with connection.cursor() as cursor:
                told = rows.told
                if rows.table.name in FACTS and not staged:
                    _copy(cursor, statements.copy_rows(rows.table), told)
                    told = b""
                _merge(cursor, rows.table, told, rows.stubs)
            reached("table_merged")


def _merge(cursor: psycopg.Cursor[Any], table: Table, told: bytes, stubs: bytes) -> None:
    if told or stubs:
        _copy(cursor, statements.copy_stage(table), told, stubs)
    if told:
        cursor.execute(statements.merge(table))
        STATEMENTS.inc()
    if stubs:
        cursor.execute(statements.add_stubs(table))
        STATEMENTS.inc()


def _copy(cursor: psycopg.Cursor[Any], statement: sql.Composed, *lines: bytes) -> None:
    if not any(lines):
        return
    STATEMENTS.inc()
    with cursor.copy(statement) as copy:
        for block in lines:
            copy.write(block)


def _columns(places: Sequence[Place]) -> dict[str, Any]:
    return {"topics": [t for t, _ in places], "partitions": [p for _, p in places]}
