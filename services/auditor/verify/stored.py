"""The database's side: positions, schemas, and events in log order, by the rights of a reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

import psycopg

from services.auditor.database import schema as database_schema
from tradetrail.log.reader import Place

# Rows are fetched so many at once, and fewer when they are large: bounds memory, and a page costs milliseconds.
PAGE_ROWS_MAX = 2_000
PAGE_BYTES_MAX = 8 << 20
# Events past a position that are told one by one; all are counted.
BEYOND_MAX = 1_000
# Before every offset there can be, a forged negative one included.
BEFORE_ALL = -(1 << 63)

_IDENTITY: LiteralString = """
SELECT system_identifier::text, current_database()::text, current_schema()::text, current_schema()::regnamespace::oid
FROM pg_control_system()
"""
_SCHEMAS: LiteralString = "SELECT schema_id, type, schema FROM schemas ORDER BY schema_id"
# Jumps from one partition to the next by the primary key instead of reading every row.
_PLACES: LiteralString = """
WITH RECURSIVE places AS (
    (SELECT topic, partition FROM events ORDER BY topic, partition LIMIT 1)
    UNION ALL
    SELECT following.topic, following.partition
    FROM places p
    CROSS JOIN LATERAL (
        SELECT e.topic, e.partition FROM events e
        WHERE (e.topic, e.partition) > (p.topic, p.partition)
        ORDER BY e.topic, e.partition LIMIT 1
    ) AS following
)
SELECT topic, partition FROM places
"""
_BEYOND: LiteralString = """
SELECT "offset", count(*) OVER () FROM events
WHERE topic = %(topic)s COLLATE "C" AND partition = %(partition)s AND "offset" >= %(position)s
ORDER BY "offset" LIMIT %(limit)s
"""
# Instants that no event can have, infinity among them, count as none: they differ from what the log has in any case.
_PAGE: LiteralString = """
SELECT month, "offset",
    CASE WHEN available_at BETWEEN '0001-01-02Z' AND '9999-12-30Z' THEN available_at END,
    type, symbol, event_id,
    CASE WHEN occurred_at BETWEEN '0001-01-02Z' AND '9999-12-30Z' THEN occurred_at END,
    story_id, schema_id, hash, key, value
FROM (
    SELECT *, sum(coalesce(octet_length(value), 0)) OVER (ORDER BY "offset", month) - coalesce(octet_length(value), 0)
        AS bytes_before
    FROM (
        SELECT * FROM events
        WHERE topic = %(topic)s COLLATE "C" AND partition = %(partition)s
            AND ("offset", month) > (%(offset)s, %(month)s) AND "offset" < %(end)s
        ORDER BY "offset", month LIMIT %(rows)s
    ) AS page
) AS sized
WHERE bytes_before < %(bytes)s
ORDER BY "offset", month
"""
_FIRST_SINCE: LiteralString = """
SELECT min("offset") FROM events
WHERE topic = %(topic)s COLLATE "C" AND partition = %(partition)s AND "offset" < %(before)s
    AND available_at >= %(since)s
"""
_REFUSED: LiteralString = """
SELECT 1 FROM dead_letters
WHERE source_topic = %(topic)s COLLATE "C" AND source_partition = %(partition)s AND source_offset = %(offset)s
    AND reason_code = 'not_storable'
"""


class StoredEvent(NamedTuple):
    """A row of ``events``; instants are UTC."""

    month: Any
    offset: int
    available_at: datetime | None
    type: str | None
    symbol: str | None
    event_id: UUID | None
    occurred_at: datetime | None
    story_id: str | None
    schema_id: int | None
    hash: bytes
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Beyond:
    """Events at or past a partition's position: how many, and the first offsets."""

    count: int
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the database says at one moment: who it is, its positions, what stands past them, its schemas."""

    identity: dict[str, str]
    positions: dict[Place, int]
    beyond: dict[Place, Beyond]
    schemas: dict[int, tuple[str, str]]


class Stored:
    """Reads the audit schema. Every page is a query of its own: no transaction stays open while events are compared."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Read through ``connection``, which is prepared for reports."""
        self._connection = connection

    def begin(self) -> Beginning:
        """Return where the database stands now, as of one snapshot."""
        connection = self._connection
        with connection.transaction():
            system, database, schema, oid = connection.execute(_IDENTITY).fetchone() or ("",) * 4
            positions = database_schema.positions(connection)
            places = set(positions) | {(t, p) for t, p in connection.execute(_PLACES)}
            beyond = {place: self._beyond(place, positions.get(place, 0)) for place in places}
            schemas = {number: (name, text) for number, name, text in connection.execute(_SCHEMAS)}
        identity = {
            "system": system,
            "database": database,
            "schema": schema,
            "schema_oid": str(oid),
        }
        return Beginning(
            identity, positions, {place: b for place, b in beyond.items() if b.count}, schemas
        )

    def read(self, place: Place, start: int, end: int) -> Iterator[StoredEvent]:
        """Yield the events of a partition from ``start`` (inclusive) to ``end`` (exclusive), by offset and month."""
        wanted = {
            "topic": place[0],
            "partition": place[1],
            "end": end,
            "rows": PAGE_ROWS_MAX,
            "bytes": PAGE_BYTES_MAX,
            # No month is later: what follows this pair begins with offset ``start``.
            "offset": start - 1 if start > BEFORE_ALL else start,
            "month": "infinity" if start > BEFORE_ALL else "-infinity",
        }
        while True:
            rows = self._connection.execute(_PAGE, wanted).fetchall()
            if not rows:
                return
            for row in rows:
                yield StoredEvent(*row)
            wanted |= {"offset": rows[-1][1], "month": rows[-1][0]}

    def first_since(self, place: Place, since: datetime, before: int) -> int | None:
        """Return the first offset below ``before`` that was appended at ``since`` or later."""
        wanted = {"topic": place[0], "partition": place[1], "since": since, "before": before}
        row = self._connection.execute(_FIRST_SINCE, wanted).fetchone()
        return row[0] if row else None

    def was_refused(self, place: Place, offset: int) -> bool:
        """Tell whether the database refused an event's content, so that its row has none of it."""
        wanted = {"topic": place[0], "partition": place[1], "offset": offset}
        return self._connection.execute(_REFUSED, wanted).fetchone() is not None

    def _beyond(self, place: Place, position: int) -> Beyond:
        wanted = {
            "topic": place[0],
            "partition": place[1],
            "position": position,
            "limit": BEYOND_MAX,
        }
        rows = self._connection.execute(_BEYOND, wanted).fetchall()
        return Beyond(rows[0][1] if rows else 0, tuple(offset for offset, _ in rows))
