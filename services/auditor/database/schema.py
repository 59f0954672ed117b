"""What a rebuild and a verification ask of an audit schema by its name, and do to it as a whole.

Every function raises psycopg.Error as the database does.
"""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import errors, sql

from tradetrail.log.reader import Place

# Postgres cuts names off after so many bytes.
NAME_LENGTH_MAX = 63

_POSITIONS: LiteralString = "SELECT topic, partition, next_offset FROM {} ORDER BY topic, partition"
_VERSION: LiteralString = "SELECT version_num FROM {}"
# Partitions are left out: their table's analysis takes them along.
_TABLES: LiteralString = """
SELECT relname::text FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname
"""


def positions(connection: psycopg.Connection[Any], schema: str | None = None) -> dict[Place, int]:
    """Return how far a schema is; the one of the connection's search path when none is named."""
    path = ("positions",) if schema is None else (schema, "positions")
    query = sql.SQL(_POSITIONS).format(sql.Identifier(*path))
    return {(topic, partition): end for topic, partition, end in connection.execute(query)}


def version(connection: psycopg.Connection[Any], schema: str) -> str | None:
    """Return the migration that a schema has reached; None when it is no audit schema."""
    query = sql.SQL(_VERSION).format(sql.Identifier(schema, "schema_version"))
    try:
        row = connection.execute(query).fetchone()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return None
    return str(row[0]) if row else None


def analyze(connection: psycopg.Connection[Any], schema: str) -> None:
    """Tell the planner what a freshly filled schema holds."""
    for (name,) in connection.execute(_TABLES, (schema,)).fetchall():
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, name)))


def drop(
    connection: psycopg.Connection[Any], schema: str, lock_timeout_ms: int | None = None
) -> None:
    """Drop a schema, if it is there; wait ``lock_timeout_ms`` at the most for those who use it."""
    with connection.transaction():
        connection.execute("SET LOCAL client_min_messages = 'warning'")
        if lock_timeout_ms is not None:
            connection.execute(f"SET LOCAL lock_timeout = {lock_timeout_ms}")
        connection.execute(
            sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
        )
