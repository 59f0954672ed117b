"""One query, one name, one file: the reports' SQL. Rows come back as dictionaries, JSON numbers as Decimals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import dict_row

from tradetrail.reports.stored_json import StoredObject, read_json

_FOLDER = Path(__file__).parent / "sql"
# Of a page of more rows so many are read at once: about a megabyte of the longest. A short page has a plan kept ready.
_ROWS_AT_ONCE = 500


@cache
def statement(name: str, **columns: str) -> LiteralString:
    """Return the text of the query ``name``, its {places} filled with the columns of these names.

    Raises KeyError when there is no query of that name.
    """
    path = _FOLDER / f"{name}.sql"
    if path.parent != _FOLDER or not path.is_file():
        raise KeyError(f"no query named {name}; they stand in {_FOLDER}")
    # A file of ours, so as good as written here.
    text = path.read_text(encoding="utf-8")
    if not columns:
        return text
    return sql.SQL(text).format(**{n: sql.Identifier(c) for n, c in columns.items()}).as_string()


def rows(
    connection: psycopg.Connection[Any],
    name: str,
    arguments: Mapping[str, Any] | None = None,
    **columns: str,
) -> list[dict[str, Any]]:
    """Return the rows of the query ``name`` by ``columns``, in the order its file documents."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(name, **columns), arguments or {}).fetchall()


def many_rows(
    connection: psycopg.Connection[Any], name: str, arguments: Mapping[str, Any], **columns: str
) -> Iterator[dict[str, Any]]:
    """Yield rows as ``rows`` has them, up to the argument ``rows_max``, their JSON objects as StoredObject.

    Most of thousands are only passed on. Of a long page those that came are gone through while the database finds and
    sends the others, so nothing else can be asked until the last one.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.adapters.register_loader("jsonb", _StoredLoader)
        query = statement(name, **columns)
        if is_long(arguments["rows_max"]):
            yield from cursor.stream(query, arguments, size=_ROWS_AT_ONCE)
        else:
            yield from cursor.execute(query, arguments).fetchall()


def is_long(rows_max: int) -> bool:
    """Tell whether a page of so many rows comes in parts."""
    return rows_max > _ROWS_AT_ONCE


def row_parts(
    connection: psycopg.Connection[Any], name: str, arguments: Mapping[str, Any], part_rows: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield all rows as ``many_rows`` has them, ``part_rows`` at a time, found once: within a transaction."""
    with connection.cursor(name=name, row_factory=dict_row) as cursor:
        cursor.adapters.register_loader("jsonb", _StoredLoader)
        cursor.execute(statement(name), {**arguments, "rows_max": None})
        while part := cursor.fetchmany(part_rows):
            yield part


class _StoredLoader(Loader):
    """Reads a column of JSON: objects as they are stored, all else (lists, numbers …) at once."""

    def load(self, data: Buffer) -> Any:
        text = str(data, "utf-8")
        return StoredObject(text) if text.startswith("{") else read_json(text)
