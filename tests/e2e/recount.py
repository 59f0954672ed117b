"""Counts again, from the input files alone, what a demo's report must say."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any


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
                day = date.fromisoformat(row["date"])
                unadjusted = "split" in row
                if row["symbol"] == symbol and (unadjusted or day not in found):
                    found[day] = (unadjusted, Decimal(row[column]))
    return {day: price for day, (_, price) in found.items()}
