"""One query, one name, one file: the reports' SQL. Rows come back as dictionaries, JSON numbers as Decimals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

_FOLDER = Path(__file__).parent / "sql"


@cache
def statement(name: str) -> LiteralString:
    """Return the text of the query ``name``. Raises KeyError when there is none of that name."""
    path = _FOLDER / f"{name}.sql"
    if path.parent != _FOLDER or not path.is_file():
        raise KeyError(f"no query named {name}; they stand in {_FOLDER}")
    # A file of ours, so as good as written here.
    return path.read_text(encoding="utf-8")


def rows(
    connection: psycopg.Connection[Any], name: str, arguments: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return the rows of the query ``name``, in the order its file documents."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(name), arguments or {}).fetchall()
