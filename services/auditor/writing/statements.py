"""The writer's SQL statements, composed once from the table specifications."""

from __future__ import annotations

from functools import cache

from psycopg import sql

from services.auditor.rows import Group, Table

LOCK_POSITIONS = """
SELECT p.topic, p.partition, p.next_offset
FROM positions p
JOIN unnest(%(topics)s::text[], %(partitions)s::int[]) AS held (topic, partition)
    ON p.topic = held.topic COLLATE "C" AND p.partition = held.partition
ORDER BY p.topic, p.partition
FOR UPDATE OF p
"""
ADD_POSITIONS = """
INSERT INTO positions (topic, partition, next_offset)
SELECT topic, partition, 0
FROM unnest(%(topics)s::text[], %(partitions)s::int[]) AS wanted (topic, partition)
ON CONFLICT DO NOTHING
"""
READ_POSITIONS = """
SELECT p.topic, p.partition, p.next_offset
FROM positions p
JOIN unnest(%(topics)s::text[], %(partitions)s::int[]) AS wanted (topic, partition)
    ON p.topic = wanted.topic COLLATE "C" AND p.partition = wanted.partition
"""
ADVANCE_POSITIONS = """
UPDATE positions AS p SET next_offset = moved.to_offset
FROM unnest(%(topics)s::text[], %(partitions)s::int[], %(to)s::bigint[])
    AS moved (topic, partition, to_offset)
WHERE p.topic = moved.topic COLLATE "C" AND p.partition = moved.partition
"""
ADD_SCHEMA = """
INSERT INTO schemas (schema_id, type, schema) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
# Chosen first, ended then: within one condition Postgres may call the function before it looks at the others.
END_FROZEN = """
WITH frozen AS MATERIALIZED (
    SELECT pid, clock_timestamp() - xact_start AS waited
    FROM pg_stat_activity
    WHERE application_name = %s
        AND datname = current_database()
        AND wait_event_type = 'Client'
        AND xact_start < clock_timestamp() - make_interval(secs => %s)
)
SELECT pid, waited, pg_terminate_backend(pid) FROM frozen
"""
ENSURE_MONTH = "SELECT ensure_events_month(%s)"
ENSURE_MONTHS_AHEAD = "SELECT ensure_events_months_ahead()"

EVENT_COLUMNS = (
    *("month", "topic", "partition", "offset", "available_at", "type", "symbol", "event_id"),
    *("occurred_at", "story_id", "schema_id", "hash", "key", "value"),
)
STAGE_EVENTS = "CREATE TEMP TABLE stage_events (LIKE events) ON COMMIT DELETE ROWS"
UNSTAGE_EVENTS = "INSERT INTO events SELECT * FROM stage_events ON CONFLICT DO NOTHING"


def copy_events(staged: bool) -> sql.Composed:
    """Return the COPY of events, straight into the table or, to tell known ones apart, into a stage."""
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier("stage_events" if staged else "events"), _names(EVENT_COLUMNS)
    )


def stage(table: Table) -> sql.Composed:
    """Return the statement that makes the session's stage of a table."""
    return sql.SQL(
        "CREATE TEMP TABLE {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} LIMIT 0"
    ).format(_stage_name(table), _names(table.columns), sql.Identifier(table.name))


@cache
def copy_stage(table: Table) -> sql.Composed:
    """Return the COPY into the stage of a table."""
    return sql.SQL("COPY {} ({}) FROM STDIN").format(_stage_name(table), _names(table.columns))


@cache
def copy_rows(table: Table) -> sql.Composed:
    """Return the COPY straight into a table whose keys are new as a rule."""
    return sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), _names(table.columns)
    )


@cache
def add_stubs(table: Table) -> sql.Composed:
    """Return the statement that adds a table's staged rows of keys alone where there are none.

    A merge that changes nothing would still lock them, and every batch of every auditor may have the same parents.
    """
    return sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM {stage} WHERE NOT ({told}) ORDER BY {key} "
        "ON CONFLICT DO NOTHING"
    ).format(
        table=sql.Identifier(table.name),
        # All of them, so that no column's default makes a stub say something.
        columns=_names(table.columns),
        key=_names(table.key),
        stage=_stage_name(table),
        told=_told(table),
    )


@cache
def merge(table: Table) -> sql.Composed:
    """Return the statement that moves a table's stage into it by the rules of its column groups.

    Rows go in key order, so that two auditors which share a parent row can't lock each other out.
    """
    assignments = [
        _assignment(table, group, column) for group in table.groups for column in group.columns
    ]
    return sql.SQL(
        "INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM {stage} WHERE {told} ORDER BY {key} "
        "ON CONFLICT ({key}) DO UPDATE SET {assignments} WHERE {newer}"
    ).format(
        table=sql.Identifier(table.name),
        columns=_names(table.columns),
        stage=_stage_name(table),
        told=_told(table),
        key=_names(table.key),
        assignments=sql.SQL(", ").join(assignments),
        newer=sql.SQL(" OR ").join(_newer(group) for group in table.groups),
    )


def _told(table: Table) -> sql.Composed:
    """Return the condition that some event, not only a child of it, told of a staged row."""
    guards = (group.guard[-1] for group in table.groups)
    each = (sql.SQL("{} IS NOT NULL").format(sql.Identifier(guard)) for guard in guards)
    return sql.SQL(" OR ").join(each)


def _assignment(table: Table, group: Group, column: str) -> sql.Composed:
    name = sql.Identifier(column)
    value = sql.SQL("COALESCE(EXCLUDED.{0}, t.{0})" if column in group.sticky else "EXCLUDED.{0}")
    if len(table.groups) == 1:
        return sql.SQL("{} = {}").format(name, value.format(name))
    return sql.SQL("{0} = CASE WHEN {1} THEN {2} ELSE t.{0} END").format(
        name, _newer(group), value.format(name)
    )


def _newer(group: Group) -> sql.Composed:
    last = sql.Identifier(group.guard[-1])
    new = sql.SQL(", ").join(sql.SQL("EXCLUDED.{}").format(sql.Identifier(c)) for c in group.guard)
    old = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(c)) for c in group.guard)
    return sql.SQL(
        "(EXCLUDED.{last} IS NOT NULL AND (t.{last} IS NULL OR ROW({new}) {order} ROW({old})))"
    ).format(last=last, new=new, old=old, order=sql.SQL("<" if group.keep == "first" else ">"))


def _stage_name(table: Table) -> sql.Identifier:
    return sql.Identifier(f"stage_{table.name}")


def _names(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
