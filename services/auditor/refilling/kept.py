"""What the database still knows for a refill: events that the log lacks by now, and what was refused and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from services.auditor.database import schema as database_schema
from services.auditor.writing.session import CONNECT_TIMEOUT_S
from tradetrail.errors import Retryable
from tradetrail.events.generated import DeadLetterReason
from tradetrail.log.codec import BadEvent
from tradetrail.log.reader import Place, Received

_EVENTS: LiteralString = """
SELECT topic, partition, "offset", key, value, available_at
FROM {origin}.events
WHERE topic = %s COLLATE "C" AND partition = %s AND "offset" >= %s AND "offset" < %s
ORDER BY "offset"
LIMIT %s
"""
_REFUSED: LiteralString = """
SELECT d.source_topic, d.source_partition, d.source_offset, d.reason_code, d.reason, d.schema_id
FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[]) AS held (topic, partition, first, last)
JOIN {schema}.dead_letters d ON d.source_topic = held.topic COLLATE "C"
    AND d.source_partition = held.partition
    AND d.source_offset BETWEEN held.first AND held.last
WHERE d.reason_code IS NOT NULL
"""
_BEGIN_AT: LiteralString = """
UPDATE {schema}.positions SET next_offset = %s WHERE topic = %s COLLATE "C" AND partition = %s
"""

APPLICATION = "tradetrail-rebuild"
# Rows taken from the server at once: a body has a mebibyte at most, and seldom more than a few kilobytes.
_FETCHED_ROWS = 200


class Kept:
    """A connection to the schema being filled and to the one that was filled live. Not thread-safe."""

    def __init__(self, dsn: str, schema: str, origin: str) -> None:
        """Nothing is connected before the first use."""
        self._dsn = dsn
        self._schema = schema
        self._names = {"schema": sql.Identifier(schema), "origin": sql.Identifier(origin)}
        self._connection: psycopg.Connection[Any] | None = None

    def read(
        self, place: Place, start: int, end: int, events_max: int, bytes_max: int
    ) -> tuple[list[Received], int]:
        """Return the kept events of a partition from ``start`` on, and the offset up to which they are all.

        At most ``events_max`` and about ``bytes_max`` of them, but always up to some offset past ``start``.
        """
        events: list[Received] = []
        size = 0
        query = sql.SQL(_EVENTS).format(**self._names)
        try:
            connection = self._connect()
            with connection.transaction(), connection.cursor(name="kept_events") as cursor:
                cursor.itersize = _FETCHED_ROWS
                cursor.execute(query, (*place, start, end, events_max))
                for topic, partition, offset, key, value, available_at in cursor:
                    events.append(Received(topic, partition, offset, key, value, available_at))
                    size += len(key or b"") + len(value or b"")
                    if size >= bytes_max or len(events) == events_max:
                        return events, offset + 1
        except psycopg.Error as error:
            raise self._away(error) from error
        return events, end

    def refusals(self, places: Iterable[tuple[str, int, int]]) -> dict[Any, BadEvent]:
        """Return what the schema's dead letters say of the events at these places (topic, partition, offset)."""
        first: dict[Place, int] = {}
        last: dict[Place, int] = {}
        for topic, partition, offset in places:
            first.setdefault((topic, partition), offset)
            last[topic, partition] = offset
        if not first:
            return {}
        held = ([t for t, _ in first], [p for _, p in first], [*first.values()], [*last.values()])
        query = sql.SQL(_REFUSED).format(**self._names)
        try:
            connection = self._connect()
            with connection.transaction():
                rows = connection.execute(query, held).fetchall()
        except psycopg.Error as error:
            raise self._away(error) from error
        return {
            tuple(place): BadEvent(DeadLetterReason(code), reason, schema_id)
            for *place, code, reason, schema_id in rows
        }

    def positions(self) -> dict[Place, int]:
        """Return how far the schema is. Raises Retryable while the database is away."""
        try:
            connection = self._connect()
            with connection.transaction():
                return database_schema.positions(connection, self._schema)
        except psycopg.Error as error:
            raise self._away(error) from error

    def begin_at(self, starts: Mapping[Place, int]) -> None:
        """Set the schema's positions of these partitions."""
        query = sql.SQL(_BEGIN_AT).format(**self._names)
        try:
            connection = self._connect()
            with connection.transaction():
                for (topic, partition), offset in starts.items():
                    connection.execute(query, (offset, topic, partition))
        except psycopg.Error as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Close the connection, if any."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = connect(self._dsn)
        return self._connection

    def _away(self, error: psycopg.Error) -> Retryable:
        self.close()
        return Retryable(f"the audit database is away: {str(error).strip()}")


def connect(dsn: str) -> psycopg.Connection[Any]:
    """Return a connection for rebuilding: autocommit, UTC, ended by the server soon after its client is.

    Raises psycopg.Error.
    """
    connection = psycopg.connect(
        dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name=APPLICATION
    )
    connection.execute("SET timezone = 'UTC'")
    # A killed rebuild must not go on in the server, holding locks, until a long statement ends.
    connection.execute("SET client_connection_check_interval = '2s'")
    return connection
