"""A report as CSV and Parquet: flat rows in one set of columns, lists and objects as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.reports.encode import instant, plain, to_json


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report as flat rows: those of its columns that a row lacks are empty, the others it has are left out."""

    columns: tuple[str, ...]
    rows: Iterable[Mapping[str, Any]]


def to_csv(sheet: Sheet) -> str:
    """Return CSV with one header; empty cells for what a row lacks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(sheet.columns)
    for row in sheet.rows:
        writer.writerow([_cell(row.get(column)) for column in sheet.columns])
    return out.getvalue()


def to_parquet(sheet: Sheet) -> bytes:
    """Return Parquet, all columns text. Raises UsageError where pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow: pip install pyarrow, or choose --format csv"
        ) from error
    cells = [
        {c: _cell(row[c]) if row.get(c) is not None else None for c in sheet.columns}
        for row in sheet.rows
    ]
    schema = pyarrow.schema([(column, pyarrow.string()) for column in sheet.columns])
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(cells, schema=schema), buffer)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, dict | list):
        return to_json(value)
    return value.isoformat() if isinstance(value, date) else str(value)
