"""Compares two audit schemas of one database, row for row and every column, in the database itself.

The left schema is the one judged (the live one), the right one is what the log gives. Values count as equal only when
they are stored alike, byte for byte: 1.0 and 1.00 differ. Rows are joined in ranges of the key, so neither our memory
nor the server's grows with the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from services.auditor.database.differences import (
    SHOWN_CHARACTERS,
    Difference,
    Kind,
    TableComparison,
)

# Tables whose rows do not come from the log, so that two schemas of the same log may differ in them:
#   schema_version  which migration a schema has reached.
NOT_FROM_THE_LOG = ("schema_version",)

# Rows of the left side in one statement: joined within the server's working memory, about a second each.
RANGE_ROWS = 50_000
_TABLES: LiteralString = """
SELECT c.relname::text, array_agg(a.attname::text ORDER BY k.position)
FROM pg_class c
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
LEFT JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, position) ON true
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE c.relnamespace = to_regnamespace(quote_ident(%s)) AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
GROUP BY c.relname ORDER BY c.relname
"""
_COLUMNS: LiteralString = """
SELECT a.attname::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = to_regnamespace(quote_ident(%s)) AND c.relname = %s
    AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

Told = Callable[[str, int], None]
"""Hears, as a comparison goes on, the table and how many of its rows (left) are compared."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two relations of the same columns, of which one is judged by the other."""

    left: sql.Identifier
    right: sql.Identifier
    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


def compare(
    connection: psycopg.Connection[Any],
    left: str,
    right: str,
    *,
    only: Collection[str] | None = None,
    told: Told = lambda _table, _rows: None,
) -> list[TableComparison]:
    """Compare every table of two schemas (or those named in ``only``), in the order of their names.

    For one state of both, give a connection in a repeatable-read transaction. A table or column that one side alone has
    is a difference. Raises psycopg.Error as the database does.
    """
    ours, theirs = _tables(connection, left), _tables(connection, right)
    found = []
    for table in sorted(ours.keys() | theirs.keys()):
        if table in NOT_FROM_THE_LOG or (only is not None and table not in only):
            continue
        if table not in ours or table not in theirs:
            kind: Kind = "extra" if table in ours else "missing"
            first = Difference(table, kind, {}, what="table")
            found.append(TableComparison(table, first=first))
            continue
        found.append(_compare_table(connection, (left, right), table, ours[table], told))
    return found


def compare_computed(
    connection: psycopg.Connection[Any],
    schema: str,
    table: str,
    view: str,
    *,
    told: Told = lambda _table, _rows: None,
) -> TableComparison:
    """Hold a derived table against ``view`` of the same schema, which computes anew what it must hold.

    Both have the same columns. Raises psycopg.Error as the database does.
    """
    key = _tables(connection, schema)[table]
    left, right = sql.Identifier(schema, table), sql.Identifier(schema, view)
    return _compare_pair(
        connection, _Pair(left, right, table, key, _columns(connection, schema, table)), told
    )


def _compare_table(
    connection: psycopg.Connection[Any],
    schemas: tuple[str, str],
    table: str,
    key: tuple[str, ...],
    told: Told,
) -> TableComparison:
    ours, theirs = (_columns(connection, schema, table) for schema in schemas)
    if lacking := sorted(set(ours) ^ set(theirs)):
        kind: Kind = "extra" if lacking[0] in ours else "missing"
        first = Difference(table, kind, {}, column=lacking[0], what=f"column {lacking[0]}")
        return TableComparison(table, first=first)
    left, right = (sql.Identifier(schema, table) for schema in schemas)
    return _compare_pair(connection, _Pair(left, right, table, key, ours), told)


def _compare_pair(connection: psycopg.Connection[Any], pair: _Pair, told: Told) -> TableComparison:
    result = TableComparison(pair.name)
    after: tuple[Any, ...] | None = None
    while True:
        last = _range_end(connection, pair, after)
        _compare_range(connection, pair, (after, last), result)
        told(pair.name, result.left_rows)
        if last is None:
            return result
        after = last


def _range_end(
    connection: psycopg.Connection[Any], pair: _Pair, after: tuple[Any, ...] | None
) -> tuple[Any, ...] | None:
    query = sql.SQL("SELECT {keys} FROM {table} WHERE {range} ORDER BY {keys} LIMIT 1 OFFSET {n}")
    return connection.execute(
        query.format(
            keys=_names("", pair.key),
            table=pair.left,
            range=_range(pair, (after, None)),
            n=sql.Literal(RANGE_ROWS - 1),
        ),
        after or (),
    ).fetchone()


def _compare_range(
    connection: psycopg.Connection[Any],
    pair: _Pair,
    bounds: tuple[tuple[Any, ...] | None, tuple[Any, ...] | None],
    result: TableComparison,
) -> None:
    values = (*(bounds[0] or ()), *(bounds[1] or ())) * 2
    parts = {
        "l": sql.Identifier("l", pair.key[0]),
        "r": sql.Identifier("r", pair.key[0]),
        "differ": _differ(pair),
        "joined": _joined(pair, bounds),
    }
    counted = connection.execute(
        sql.SQL(
            "SELECT count({l}), count({r}), count(*) FILTER (WHERE {l} IS NULL), "
            "count(*) FILTER (WHERE {r} IS NULL), "
            "count(*) FILTER (WHERE {l} IS NOT NULL AND {r} IS NOT NULL AND {differ}) FROM {joined}"
        ).format(**parts),
        values,
    ).fetchone()
    lefts, rights, missing, extra, different = counted or (0, 0, 0, 0, 0)
    result.left_rows += lefts
    result.right_rows += rights
    result.missing += missing
    result.extra += extra
    result.different += different
    if result.first is None and missing + extra + different:
        result.first = _first(connection, pair, parts, values)


def _first(
    connection: psycopg.Connection[Any],
    pair: _Pair,
    parts: dict[str, sql.Composable],
    values: Sequence[Any],
) -> Difference:
    either = sql.SQL(", ").join(
        sql.SQL("COALESCE({}, {})").format(sql.Identifier("l", name), sql.Identifier("r", name))
        for name in pair.key
    )
    query = sql.SQL(
        "SELECT {l} IS NULL, {r} IS NULL, {either} FROM {joined} "
        "WHERE {l} IS NULL OR {r} IS NULL OR {differ} ORDER BY {either} LIMIT 1"
    )
    row = connection.execute(query.format(either=either, **parts), values).fetchone()
    if row is None:
        raise psycopg.OperationalError(f"{pair.name} changed while it was compared")
    lacking_left, lacking_right, *key = row
    named = {name: str(value) for name, value in zip(pair.key, key, strict=True)}
    if lacking_left or lacking_right:
        return Difference(pair.name, "missing" if lacking_left else "extra", named)
    column, left, right = _first_column(connection, pair, key)
    return Difference(pair.name, "different", named, column, left, right)


def _first_column(
    connection: psycopg.Connection[Any], pair: _Pair, key: Sequence[Any]
) -> tuple[str, str | None, str | None]:
    at = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in pair.key)
    query = sql.SQL(
        "SELECT left(l.{c}::text, {n}), left(r.{c}::text, {n}) "
        "FROM (SELECT * FROM {left} WHERE {at}) AS l, (SELECT * FROM {right} WHERE {at}) AS r "
        "WHERE ROW(l.{c})::record *<> ROW(r.{c})::record"
    )
    for name in pair.columns:
        found = connection.execute(
            query.format(
                c=sql.Identifier(name),
                n=sql.Literal(SHOWN_CHARACTERS),
                left=pair.left,
                right=pair.right,
                at=at,
            ),
            (*key, *key),
        ).fetchone()
        if found is not None:
            return name, *found
    raise psycopg.OperationalError(f"{pair.name} changed while it was compared")


def _tables(connection: psycopg.Connection[Any], schema: str) -> dict[str, tuple[str, ...]]:
    found = connection.execute(_TABLES, (schema,))
    return {table: tuple(name for name in key if name) for table, key in found}


def _columns(connection: psycopg.Connection[Any], schema: str, table: str) -> tuple[str, ...]:
    return tuple(name for (name,) in connection.execute(_COLUMNS, (schema, table)))


def _joined(
    pair: _Pair, bounds: tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]
) -> sql.Composed:
    within = _range(pair, bounds)
    keys = sql.SQL(" AND ").join(
        sql.SQL("l.{0} = r.{0}").format(sql.Identifier(name)) for name in pair.key
    )
    return sql.SQL(
        "(SELECT * FROM {left} WHERE {within}) AS l "
        "FULL JOIN (SELECT * FROM {right} WHERE {within}) AS r ON {keys}"
    ).format(left=pair.left, right=pair.right, within=within, keys=keys)


def _range(
    pair: _Pair, bounds: tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]
) -> sql.Composed:
    places = sql.SQL(", ").join([sql.Placeholder()] * len(pair.key))
    parts: list[sql.Composable] = [
        sql.SQL("ROW({}) {} ROW({})").format(_names("", pair.key), sql.SQL(order), places)
        for order, bound in zip((">", "<="), bounds, strict=True)
        if bound is not None
    ]
    return sql.SQL(" AND ").join(parts or [sql.SQL("true")])


def _differ(pair: _Pair) -> sql.Composed:
    left, right = _names("l", pair.columns), _names("r", pair.columns)
    return sql.SQL("ROW({})::record *<> ROW({})::record").format(left, right)


def _names(table: str, columns: Sequence[str]) -> sql.Composed:
    given = (sql.Identifier(table, name) if table else sql.Identifier(name) for name in columns)
    return sql.SQL(", ").join(given)
