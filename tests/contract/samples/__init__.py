"""One event of every released schema version as it went over the wire, kept so that it can be read for ever.

``python -m tests.contract.samples`` writes those that are missing; it never changes one that is there.
"""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
from fastavro.schema import parse_schema

FOLDER = Path(__file__).parent
_PLAIN: dict[str, Any] = {"int": 7, "long": 8_000_000_000, "boolean": True, "bytes": b"\x00\xff"}
_LOGICAL: dict[str, Any] = {
    "decimal": Decimal("-1234.500000001"),
    "timestamp-micros": datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
    "date": date(2024, 2, 29),
}


def sample_value(schema: Any, name: str, named: dict[str, Any]) -> Any:
    """Return the fixed value of a type: every optional field present, every list with one item."""
    if isinstance(schema, str):
        if schema in named:
            return sample_value(named[schema], name, named)
        return name if schema == "string" else _PLAIN[schema]
    if isinstance(schema, list):
        return sample_value(next(s for s in schema if s != "null"), name, named)
    if "logicalType" in schema:
        return _LOGICAL[schema["logicalType"]]
    kind = schema["type"]
    if kind == "record":
        named[schema["name"]] = schema
        return {f["name"]: sample_value(f["type"], f["name"], named) for f in schema["fields"]}
    if kind == "enum":
        named[schema["name"]] = schema
        return schema["symbols"][0]
    if kind == "array":
        return [sample_value(schema["items"], name, named)]
    if kind == "map":
        return {"key": sample_value(schema["values"], name, named)}
    return sample_value(kind, name, named)


def sample_of(schema_file: Path) -> dict[str, Any]:
    """Return the sample datum of a released schema file."""
    value: dict[str, Any] = sample_value(json.loads(schema_file.read_text()), "", {})
    return value


def encoded(schema_file: Path) -> bytes:
    """Return the sample as Avro bytes."""
    buffer = io.BytesIO()
    schema = parse_schema(json.loads(schema_file.read_text()))
    fastavro.schemaless_writer(buffer, schema, sample_of(schema_file))
    return buffer.getvalue()
