"""A report as flat rows for CSV and Parquet: every section's rows one after the other, in one set of columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.reports.encode import instant, plain, to_json

SECTIONS = ("data_ingested", "decisions_made", "declined", "trades_executed")
COLUMNS = (
    "section",
    *("ingestion_run_id", "ingested_at", "available_at", "record_id", "politician", "insider"),
    *("transaction_type", "transaction_date", "disclosed_on", "withdrawn_at", "moved_to_symbol"),
    *("decision_id", "created_at", "strategy", "side", "quantity", "status", "failure_reason"),
    *("reason", "reason_text", "filled_at", "filled_avg_price", "rationale"),
)


def flat_rows(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each row of the report's sections with its section's name, in report order."""
    for section in SECTIONS:
        for row in report[section]:
            yield {"section": section, **row}


def to_csv(report: dict[str, Any]) -> str:
    """Return the report as CSV with one header; cells that a section lacks are empty, rationales are JSON."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in flat_rows(report):
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return out.getvalue()


def to_parquet(report: dict[str, Any]) -> bytes:
    """Return the report as Parquet, all columns text. Raises UsageError where pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow: pip install pyarrow, or choose --format csv"
        ) from error
    cells = [
        {c: _cell(row[c]) if row.get(c) is not None else None for c in COLUMNS}
        for row in flat_rows(report)
    ]
    schema = pyarrow.schema([(column, pyarrow.string()) for column in COLUMNS])
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
