"""What is wrong with a live row, by what a window of the log says: SQL conditions out of the table specifications.

``l`` is the live table, ``s`` the scratch table, which holds what the window's events alone say. A column group is
judged only where the window decides it: when its event is in the window, or loses against one that is. What comes from
events outside the window stays as it is.
"""

from __future__ import annotations

from psycopg import sql

from services.auditor.rows import PLACE, Group, Table

SPANS = "rebuild_window"
"""The session's table of the window: topic, partition, first and last offset, both inclusive."""


def keys(table: Table, alias: str) -> sql.Composed:
    """Return the key columns of a row."""
    return columns(table.key, alias)


def columns(names: tuple[str, ...], alias: str) -> sql.Composed:
    """Return columns of a row, comma between."""
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)


def same_key(table: Table) -> sql.Composed:
    """Return the condition that both rows have one key."""
    return sql.SQL(" AND ").join(
        sql.SQL("l.{0} = s.{0}").format(sql.Identifier(name)) for name in table.key
    )


def wrong(table: Table) -> sql.Composed:
    """Return the condition that some group of a live row is not what the window says; both rows are there."""
    return sql.SQL("({})").format(
        sql.SQL(" OR ").join(group_wrong(table, group) for group in table.groups)
    )


def group_wrong(table: Table, group: Group) -> sql.Composed:
    """Return the condition that one group is wrong: unset, older than it should be, or altered."""
    guard = sql.Identifier(group.guard[-1])
    ours, theirs = columns(group.guard, "l"), columns(group.guard, "s")
    return sql.SQL(
        "(s.{guard} IS NOT NULL AND (l.{guard} IS NULL OR ROW({theirs}) {wins} ROW({ours}) "
        "OR (ROW({theirs}) = ROW({ours}) AND {altered}) "
        "OR (ROW({theirs}) <> ROW({ours}) AND {in_window})))"
    ).format(
        guard=guard,
        ours=ours,
        theirs=theirs,
        wins=sql.SQL("<" if group.keep == "first" else ">"),
        altered=_altered(group),
        in_window=in_window(table, group),
    )


def unfounded(table: Table, group: Group) -> sql.Composed:
    """Return the condition that a live group names an event of the window which does not say so, ``s`` there or not."""
    return sql.SQL("({in_window} AND s.{guard} IS NULL)").format(
        in_window=in_window(table, group), guard=sql.Identifier(group.guard[-1])
    )


def in_window(table: Table, group: Group) -> sql.Composed:
    """Return the condition that the event which set a live group is in the window, as far as the row tells."""
    if group.guard == PLACE:
        place = PLACE
    elif group.guard == ("detected_offset",):
        place = ("source_topic", "source_partition", "detected_offset")
    else:
        # Of a status the row keeps the offset alone, which names no event by itself.
        return sql.Composed([sql.SQL("false")])
    topic, partition, offset = (sql.Identifier("l", name) for name in place)
    return sql.SQL(
        "EXISTS (SELECT FROM {spans} AS w WHERE w.topic = {topic} AND w.partition = {partition} "
        "AND {offset} BETWEEN w.first AND w.last)"
    ).format(
        spans=sql.Identifier("pg_temp", SPANS), topic=topic, partition=partition, offset=offset
    )


def altered_column(group: Group, name: str) -> sql.Composed:
    """Return the condition that one column differs; a sticky one without a value says nothing."""
    column = sql.Identifier(name)
    differ = sql.SQL("ROW(l.{0})::record *<> ROW(s.{0})::record").format(column)
    if name not in group.sticky:
        return differ
    return sql.SQL("(s.{} IS NOT NULL AND {})").format(column, differ)


def assignments(group: Group) -> sql.Composed:
    """Return what sets a live group to what the window says."""
    return sql.SQL(", ").join(
        sql.SQL("{0} = COALESCE(s.{0}, l.{0})" if name in group.sticky else "{0} = s.{0}").format(
            sql.Identifier(name)
        )
        for name in group.columns
    )


def _altered(group: Group) -> sql.Composed:
    return sql.SQL("({})").format(
        sql.SQL(" OR ").join(altered_column(group, name) for name in group.columns)
    )
