"""Counts again what a demo's reports must say: from the input files alone, or from the exact bytes of its events."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import psycopg
from fastavro.schema import parse_schema


def disclosures(folder: Path, symbol: str, start: date, end: date) -> list[dict[str, Any]]:
    """Return the congressional rows of ``symbol`` reported in the period, as the file has them."""
    with gzip.open(folder / "congress_v1.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        row
        for row in rows
        if row["Ticker"] == symbol and str(start) <= row["ReportDate"][:10] <= str(end)
    ]


def prices(folder: Path, symbol: str, column: str) -> dict[date, Decimal]:
    """Return a price of each session (``open``, ``close``); the unadjusted file wins where two cover a day."""
    found: dict[date, tuple[bool, Decimal]] = {}
    for path in sorted(folder.glob("ohlcv*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["symbol"] != symbol:
                    continue
                day = date.fromisoformat(row["date"])
                unadjusted = "split" in row
                if unadjusted or day not in found:
                    found[day] = (unadjusted, Decimal(row[column]))
    return {day: price for day, (_, price) in found.items()}


@dataclass(frozen=True)
class Recorded:
    """An event as its exact bytes say it, by the schema that is kept beside them."""

    type: str
    topic: str
    partition: int
    offset: int
    fields: dict[str, Any]


def recorded(connection: psycopg.Connection[Any], *types: str) -> list[Recorded]:
    """Return every event of these types in log order, read from its bytes: no table and no view is asked."""
    found = connection.execute(
        'SELECT e.type, e.topic, e.partition, e."offset", e.value, s.schema FROM events e JOIN schemas s '
        'USING (schema_id) WHERE e.type = ANY(%s) ORDER BY e.topic, e.partition, e."offset"',
        (list(types),),
    )
    schemas: dict[str, Any] = {}
    events = []
    for kind, topic, partition, offset, value, text in found:
        if text not in schemas:
            schemas[text] = parse_schema(json.loads(text))
        # Five bytes name the schema.
        fields = fastavro.schemaless_reader(io.BytesIO(value[5:]), schemas[text], None)
        assert isinstance(fields, dict)
        events.append(Recorded(kind, topic, partition, offset, fields))
    return events
