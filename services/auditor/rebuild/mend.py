"""Sets live rows to what a window of the log says, a few at a time; the auditors go on between.

A row that an auditor changes at the same moment is judged again as it is by then, so nothing newer is overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import errors, sql

from services.auditor.database.differences import SHOWN_CHARACTERS, Difference, TableComparison
from services.auditor.rebuild import judge
from services.auditor.rebuild.desk import Desk
from services.auditor.rows import Group, Table
from services.auditor.tables import TABLES
from tradetrail.errors import Unreachable

# Rows of one transaction: a fraction of a second, for which an auditor may wait.
ROWS_MAX = 1_000
# An auditor's batch may lock the same rows in another order; one of the two begins again.
DEADLOCKS_MAX = 20

Parts = dict[str, sql.Composable]


class Mender:
    """Judges and mends the typed tables. The desk's session has the table ``judge.SPANS``."""

    def __init__(self, desk: Desk) -> None:
        """Hold the live schema against the scratch one."""
        self._desk = desk
        self._run = desk.connection.execute

    def judge(self, table: Table) -> TableComparison:
        """Return what of a table the window contradicts."""
        parts = self._parts(table)
        row = self._run(
            sql.SQL(
                "SELECT count(*), count(*) FILTER (WHERE l.{key} IS NULL), "
                "count(*) FILTER (WHERE l.{key} IS NOT NULL AND {wrong}) "
                "FROM {scratch} AS s LEFT JOIN {live} AS l ON {same}"
            ).format(**parts)
        ).fetchone()
        extra = self._run(
            sql.SQL(
                "SELECT count(*) FROM {live} AS l LEFT JOIN {scratch} AS s ON {same} WHERE {unfounded}"
            ).format(**parts)
        ).fetchone()
        rows, missing, different = row or (0, 0, 0)
        found = TableComparison(table.name, rows - missing, rows, missing, 0, different)
        found.extra = extra[0] if extra else 0
        if missing or different or found.extra:
            found.first = self._first(table, parts)
        return found

    def mend(self) -> int:
        """Mend every table and return how many changes of rows that took."""
        return sum(self._changes())

    def _changes(self) -> Iterator[int]:
        for table in TABLES.values():
            yield self._repeat(self._insert, table, None)
            for group in table.groups:
                yield self._repeat(self._overwrite, table, group)
        for table in reversed(list(TABLES.values())):
            for group in table.groups:
                yield self._repeat(self._clear, table, group)

    def _repeat(self, step: Any, table: Table, group: Group | None) -> int:
        total, deadlocks = 0, 0
        while True:
            try:
                with self._desk.connection.transaction():
                    changed = int(step(table, group))
            except errors.DeadlockDetected as error:
                deadlocks += 1
                if deadlocks > DEADLOCKS_MAX:
                    raise Unreachable(
                        f"the auditors hold rows of {table.name} again and again; {total} were mended: try again"
                    ) from error
                continue
            total += changed
            if changed < ROWS_MAX:
                return total

    def _insert(self, table: Table, _group: None) -> int:
        return self._run(
            sql.SQL(
                "INSERT INTO {live} ({names}) SELECT {values} FROM {scratch} AS s "
                "WHERE NOT EXISTS (SELECT FROM {live} AS l WHERE {same}) ORDER BY {keys} LIMIT {n} "
                "ON CONFLICT DO NOTHING"
            ).format(
                names=_bare(table.columns),
                values=judge.columns(table.columns, "s"),
                **self._parts(table),
            )
        ).rowcount

    def _overwrite(self, table: Table, group: Group) -> int:
        return self._run(
            sql.SQL(
                "UPDATE {live} AS l SET {assignments} FROM {scratch} AS s WHERE {same} AND {wrong_group} "
                "AND ({keys_l}) IN (SELECT {keys} FROM {live} AS l JOIN {scratch} AS s ON {same} "
                "WHERE {wrong_group} ORDER BY {keys} LIMIT {n} FOR UPDATE OF l)"
            ).format(
                assignments=judge.assignments(group),
                wrong_group=judge.group_wrong(table, group),
                **self._parts(table),
            )
        ).rowcount

    def _clear(self, table: Table, group: Group) -> int:
        """Empty a group that no event of the window stands behind; drop the row when nothing is left of it."""
        parts = self._parts(table)
        nothing = sql.SQL(", ").join(
            sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in group.columns
        )
        cleared = self._run(
            sql.SQL(
                "UPDATE {live} AS c SET {nothing} WHERE ({keys_c}) IN (SELECT {keys_l} FROM {live} AS l "
                "LEFT JOIN {scratch} AS s ON {same} WHERE {unfounded_group} ORDER BY {keys_l} LIMIT {n} "
                "FOR UPDATE OF l) RETURNING {keys_c}"
            ).format(
                nothing=nothing,
                keys_c=judge.keys(table, "c"),
                unfounded_group=judge.unfounded(table, group),
                **parts,
            )
        ).fetchall()
        for key in cleared:
            self._run(self._drop_statement(table, parts), key)
        return len(cleared)

    def _drop_statement(self, table: Table, parts: Parts) -> sql.Composed:
        at = sql.SQL(" AND ").join(
            sql.SQL("l.{} = %s").format(sql.Identifier(n)) for n in table.key
        )
        empty = sql.SQL(" AND ").join(
            sql.SQL("l.{} IS NULL").format(sql.Identifier(group.guard[-1]))
            for group in table.groups
        )
        alone = [
            sql.SQL(
                " AND NOT EXISTS (SELECT FROM {child} AS c WHERE ROW({columns}) = ROW({keys_l}))"
            ).format(
                child=sql.Identifier(self._desk.live, child.name),
                columns=judge.columns(reference.columns, "c"),
                keys_l=judge.keys(table, "l"),
            )
            for child in TABLES.values()
            for reference in child.references
            if reference.parent == table.name
        ]
        return sql.SQL("DELETE FROM {live} AS l WHERE {at} AND {empty}{alone}").format(
            at=at, empty=empty, alone=sql.Composed(alone), live=parts["live"]
        )

    def _first(self, table: Table, parts: Parts) -> Difference | None:
        found = self._run(
            sql.SQL(
                "SELECT CASE WHEN l.{key} IS NULL THEN 'missing' ELSE 'different' END, {keys} "
                "FROM {scratch} AS s LEFT JOIN {live} AS l ON {same} WHERE l.{key} IS NULL OR {wrong} "
                "UNION ALL SELECT 'extra', {keys_l} FROM {live} AS l LEFT JOIN {scratch} AS s ON {same} "
                "WHERE {unfounded} ORDER BY {ordinals} LIMIT 1"
            ).format(
                ordinals=sql.SQL(", ").join(sql.Literal(n + 2) for n in range(len(table.key))),
                **parts,
            )
        ).fetchone()
        if found is None:
            return None
        kind, *key = found
        named = {name: str(value) for name, value in zip(table.key, key, strict=True)}
        if kind != "different":
            return Difference(table.name, kind, named)
        for group in table.groups:
            for name in group.columns:
                if values := self._values(table, group, name, key):
                    return Difference(table.name, kind, named, name, *values)
        return Difference(table.name, kind, named)

    def _values(
        self, table: Table, group: Group, name: str, key: list[Any]
    ) -> tuple[str | None, str | None] | None:
        at = sql.SQL(" AND ").join(
            sql.SQL("s.{} = %s").format(sql.Identifier(n)) for n in table.key
        )
        return self._run(
            sql.SQL(
                "SELECT left(l.{c}::text, {shown}), left(s.{c}::text, {shown}) "
                "FROM {live} AS l JOIN {scratch} AS s ON {same} "
                "WHERE {at} AND {wrong_group} AND {altered}"
            ).format(
                c=sql.Identifier(name),
                shown=sql.Literal(SHOWN_CHARACTERS),
                at=at,
                wrong_group=judge.group_wrong(table, group),
                altered=judge.altered_column(group, name),
                **self._parts(table),
            ),
            key,
        ).fetchone()

    def _parts(self, table: Table) -> Parts:
        return {
            "live": sql.Identifier(self._desk.live, table.name),
            "scratch": sql.Identifier(self._desk.scratch, table.name),
            "same": judge.same_key(table),
            "key": sql.Identifier(table.key[0]),
            "keys": judge.keys(table, "s"),
            "keys_l": judge.keys(table, "l"),
            "wrong": judge.wrong(table),
            "unfounded": sql.SQL(" OR ").join(judge.unfounded(table, g) for g in table.groups),
            "n": sql.Literal(ROWS_MAX),
        }


def open_spans(connection: psycopg.Connection[Any]) -> None:
    """Make the session's table of the window."""
    connection.execute(
        sql.SQL(
            'CREATE TEMP TABLE {} (topic text COLLATE "C", partition int, first bigint, last bigint)'
        ).format(sql.Identifier(judge.SPANS))
    )


def _bare(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
