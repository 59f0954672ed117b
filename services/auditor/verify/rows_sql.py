"""The statements that hold a table against its projection, composed from the table's specification.

``l`` is the live table, ``r`` the one projected from the log. Values are alike only when they are stored alike:
rows are compared as records, without the cast Postgres would look for such an operator of each column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from services.auditor.rows import PLACE, Group, Table
from services.auditor.verify.excuses import Excuses

_STRETCHES = sql.SQL(
    "WITH excused AS MATERIALIZED (SELECT * FROM unnest(%(topics)s::text[], %(partitions)s::int[], "
    "%(firsts)s::bigint[], %(ends)s::bigint[]) AS e (topic, partition, first, past)) "
)
Key = tuple[Any, ...] | None


class Side:
    """A table in both schemas, within a range of its key."""

    def __init__(self, table: Table, live: str, projected: str, excuses: Excuses) -> None:
        """Compare ``table`` of schema ``live`` with that of ``projected``."""
        self.table = table
        self._left = sql.Identifier(live, table.name)
        self._right = sql.Identifier(projected, table.name)
        self._windowed = excuses.windowed
        self._any_excuse = bool(excuses.stretches)

    def range_end(self, after: Key, rows: int) -> tuple[sql.Composed, dict[str, Any]]:
        """Return the query of the last key of the next ``rows`` live rows."""
        query = sql.SQL(
            "SELECT {keys} FROM {table} WHERE {range} ORDER BY {keys} LIMIT 1 OFFSET {n}"
        )
        return query.format(
            keys=_names("", self.table.key),
            table=self._left,
            range=self._range(after, None),
            n=sql.Literal(rows - 1),
        ), self.bounds(after, None)

    def counts(self, after: Key, last: Key) -> sql.Composed:
        """Return the query of how many live rows there are, and how many rows are missing, extra, differing."""
        return _STRETCHES + sql.SQL(
            "SELECT count({l}), count(*) FILTER (WHERE {l} IS NULL), count(*) FILTER (WHERE {extra}), "
            "count(*) FILTER (WHERE {differing}) FROM {joined}"
        ).format(
            l=self._key("l"),
            extra=self._extra(),
            differing=self._differing(),
            joined=self._joined(after, last),
        )

    def found(self, after: Key, last: Key) -> sql.Composed:
        """Return the query of the rows that are missing, extra or differing: what they are, key, groups that differ."""
        either = sql.SQL(", ").join(
            sql.SQL("COALESCE({}, {})").format(sql.Identifier("l", k), sql.Identifier("r", k))
            for k in self.table.key
        )
        return _STRETCHES + sql.SQL(
            "SELECT {l} IS NULL, {r} IS NULL, ARRAY[{groups}]::bool[], {either} FROM {joined} "
            "WHERE {l} IS NULL OR {extra} OR {differing} ORDER BY {either} LIMIT %(limit)s"
        ).format(
            l=self._key("l"),
            r=self._key("r"),
            groups=sql.SQL(", ").join(self._group_differs(g) for g in self.table.groups),
            either=either,
            extra=self._extra(),
            differing=self._differing(),
            joined=self._joined(after, last),
        )

    def texts(self, columns: Sequence[str], shown_max: int) -> sql.Composed:
        """Return the query of a row's values as texts on either side, by its key: those of ``columns`` that differ."""
        at = sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier(k), sql.Placeholder(f"key_{n}"))
            for n, k in enumerate(self.table.key)
        )
        each = sql.SQL(" UNION ALL ").join(
            sql.SQL(
                "SELECT {n}, {name}, left(l.{c}::text, {max}), left(r.{c}::text, {max}) "
                "FROM l, r WHERE ROW(l.{c})::record *<> ROW(r.{c})::record"
            ).format(
                n=sql.Literal(n),
                name=sql.Literal(c),
                c=sql.Identifier(c),
                max=sql.Literal(shown_max),
            )
            for n, c in enumerate(columns)
        )
        return sql.SQL(
            "WITH l AS (SELECT * FROM {left} WHERE {at}), r AS (SELECT * FROM {right} WHERE {at}) {each} ORDER BY 1"
        ).format(left=self._left, right=self._right, at=at, each=each)

    def bounds(self, after: Key, last: Key) -> dict[str, Any]:
        """Return the arguments of a range."""
        found = {f"after_{n}": value for n, value in enumerate(after or ())}
        return found | {f"last_{n}": value for n, value in enumerate(last or ())}

    def _extra(self) -> sql.Composed:
        # A stub has no guard: while anything is excused, one may belong to a child that is.
        given = [
            sql.SQL("l.{} IS NOT NULL").format(sql.Identifier(g.guard[-1]))
            for g in self.table.groups
        ]
        stub = (
            sql.SQL(" AND ({})").format(sql.SQL(" OR ").join(given))
            if self._any_excuse
            else sql.SQL("")
        )
        excused = sql.SQL(" OR ").join(self._excused(g) for g in self.table.groups)
        return sql.SQL("({} IS NULL AND NOT ({}){})").format(self._key("r"), excused, stub)

    def _differing(self) -> sql.Composed:
        columns = self.table.columns
        return sql.SQL(
            "({l} IS NOT NULL AND {r} IS NOT NULL AND ROW({lefts})::record *<> ROW({rights})::record AND ({groups}))"
        ).format(
            l=self._key("l"),
            r=self._key("r"),
            lefts=_names("l", columns),
            rights=_names("r", columns),
            groups=sql.SQL(" OR ").join(self._group_differs(g) for g in self.table.groups),
        )

    def _group_differs(self, group: Group) -> sql.Composed:
        # In a window a value may come from an event before it.
        sticky = group.sticky if self._windowed else frozenset()
        columns = [c for c in group.columns if c not in sticky]
        alike = sql.SQL("ROW({})::record *<> ROW({})::record").format(
            _names("l", columns), _names("r", columns)
        )
        kept = [
            sql.SQL("(r.{0} IS NOT NULL AND ROW(l.{0})::record *<> ROW(r.{0})::record)").format(
                sql.Identifier(c)
            )
            for c in sorted(sticky)
        ]
        return sql.SQL(
            "((NOT {excused} OR ROW({guard})::record *= ROW({theirs})::record) AND ({differs}))"
        ).format(
            excused=self._excused(group),
            guard=_names("l", group.guard),
            theirs=_names("r", group.guard),
            differs=sql.SQL(" OR ").join([alike, *kept]),
        )

    def _excused(self, group: Group) -> sql.Composed:
        guard = sql.Identifier("l", group.guard[-1])
        # Other guards are offsets alone: the partition is that of the row's events, which a row does not always name.
        place = (
            "e.topic = l.topic AND e.partition = l.partition AND " if group.guard == PLACE else ""
        )
        return sql.SQL(
            "EXISTS (SELECT 1 FROM excused e WHERE {place}{guard} >= e.first AND {guard} < e.past)"
        ).format(place=sql.SQL(place), guard=guard)

    def _joined(self, after: Key, last: Key) -> sql.Composed:
        keys = sql.SQL(" AND ").join(
            sql.SQL("l.{0} = r.{0}").format(sql.Identifier(k)) for k in self.table.key
        )
        return sql.SQL(
            "(SELECT * FROM {left} WHERE {within}) AS l FULL JOIN (SELECT * FROM {right} WHERE {within}) AS r ON {keys}"
        ).format(left=self._left, right=self._right, within=self._range(after, last), keys=keys)

    def _range(self, after: Key, last: Key) -> sql.Composed:
        keys = _names("", self.table.key)
        parts: list[sql.Composable] = [
            sql.SQL("ROW({}) {} ROW({})").format(
                keys,
                sql.SQL(order),
                sql.SQL(", ").join(sql.Placeholder(f"{name}_{n}") for n in range(len(bound))),
            )
            for name, order, bound in (("after", ">", after), ("last", "<=", last))
            if bound is not None
        ]
        return sql.SQL(" AND ").join(parts or [sql.SQL("true")])

    def _key(self, side: str) -> sql.Identifier:
        return sql.Identifier(side, self.table.key[0])


def _names(side: str, columns: Sequence[str]) -> sql.Composed:
    given = (sql.Identifier(side, c) if side else sql.Identifier(c) for c in columns)
    return sql.SQL(", ").join(given)
