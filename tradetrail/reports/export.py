"""Rows as CSV, Parquet and JSON, made part by part: what is held does not grow with their number.

CSV and Parquet are flat: one set of columns, lists and objects as JSON.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

import psycopg

from tradetrail.errors import UsageError
from tradetrail.reports.encode import instant, json_bytes, plain, to_json
from tradetrail.reports.stored_json import StoredObject

Row = Mapping[str, Any]
# Rows of a row group: readers skip by group, and each costs the file's foot some kilobytes. Some tens of megabytes.
_GROUP_ROWS = 10_000


class FileForm(StrEnum):
    """A form for machines."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


class Whole(Protocol):
    """All rows of a report, to be gone through once; ``rows_done`` of them are. ``head`` is what it says besides."""

    head: dict[str, Any]
    rows_total: int
    rows_done: int

    def parts(self, form: FileForm) -> Iterator[bytes]:
        """Yield all of it in the form that a page has, part by part."""


OpenWhole = Callable[[psycopg.Connection[Any]], AbstractContextManager[Whole]]
"""Opens all rows of a report on a connection, of one state of the database."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report as flat rows: those of its columns that a row lacks are empty, the others it has are left out."""

    columns: tuple[str, ...]
    rows: Iterable[Row]


def to_csv(sheet: Sheet) -> str:
    """Return CSV with one header; empty cells for what a row lacks."""
    return b"".join(csv_parts(sheet.columns, [sheet.rows])).decode()


def to_parquet(sheet: Sheet) -> bytes:
    """Return Parquet, all columns text. Raises UsageError where pyarrow is not installed."""
    return b"".join(parquet_parts(sheet.columns, [sheet.rows]))


def csv_parts(columns: Sequence[str], pages: Iterable[Iterable[Row]]) -> Iterator[bytes]:
    """Yield CSV: the header, then each page."""
    yield _lines([columns])
    for page in pages:
        yield _lines([_cell(row.get(column)) for column in columns] for row in page)


def json_parts(
    head: Mapping[str, Any], name: str, pages: Iterable[Iterable[Row]]
) -> Iterator[bytes]:
    """Yield an object: all of ``head``, and last the list ``name``, a row on each line. Cut off, it is no JSON."""
    return json_lists(head, [(name, pages)])


def json_lists(
    head: Mapping[str, Any], lists: Iterable[tuple[str, Iterable[Iterable[Row]]]]
) -> Iterator[bytes]:
    """Yield an object as ``json_parts`` does, with several lists one after the other."""
    yield json_bytes(head).removesuffix(b"}")
    for name, pages in lists:
        yield b",%b:[" % json_bytes(name)
        before = b"\n"
        for page in pages:
            if lines := b",\n".join(map(json_bytes, page)):
                yield before + lines
                before = b",\n"
        yield b"\n]"
    yield b"}\n"


def parquet_parts(columns: Sequence[str], pages: Iterable[Iterable[Row]]) -> Iterator[bytes]:
    """Yield Parquet, a group of rows at a time; without its last part, the foot, it can't be read.

    Raises UsageError where pyarrow is not installed, before the first part.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow: pip install pyarrow, or choose --format csv"
        ) from error
    schema = pyarrow.schema([(column, pyarrow.string()) for column in columns])
    written = _Written()
    held: list[Any] = []
    with pyarrow.parquet.ParquetWriter(written, schema) as writer:
        for page in pages:
            held.append(pyarrow.RecordBatch.from_pylist([_cells(columns, r) for r in page], schema))
            if sum(batch.num_rows for batch in held) >= _GROUP_ROWS:
                writer.write_table(pyarrow.Table.from_batches(held, schema))
                held.clear()
                yield written.taken()
        if held:
            writer.write_table(pyarrow.Table.from_batches(held, schema))
    yield written.taken()


class _Written(io.RawIOBase):
    """A file that only grows, and hands out what was written since the last time."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        content = bytes(part)
        self._parts.append(content)
        self._size += len(content)
        return len(content)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        content = b"".join(self._parts)
        self._parts.clear()
        return content


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _cells(columns: Sequence[str], row: Row) -> dict[str, str | None]:
    return {c: _cell(row[c]) if row.get(c) is not None else None for c in columns}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, StoredObject):
        return value.text
    if isinstance(value, dict | list):
        return to_json(value)
    return value.isoformat() if isinstance(value, date) else str(value)
