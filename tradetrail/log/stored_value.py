"""An event's bytes read by the schema that was kept beside them: no registry is asked."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
from fastavro.schema import parse_schema

from tradetrail.errors import Poison
from tradetrail.events.schemas import parsed_schema

# Confluent's wire format: a zero byte and four bytes of schema id lead the datum.
_HEADER_BYTES = 5


def as_written(value: bytes, schema_text: str) -> dict[str, Any]:
    """Return the fields as their writer wrote them: none that a later version of the schema added.

    Raises Poison for a text that is no Avro record, and for bytes that are not one such record from end to end.
    """
    return _read(value, schema_text, None)


def as_today(value: bytes, schema_text: str, type_name: str) -> dict[str, Any]:
    """Return the fields of today's schema of ``type_name`` (full name), with its defaults for what is not there.

    Raises Poison likewise, and for a type that is not in the catalogue.
    """
    return _read(value, schema_text, type_name)


def _read(value: bytes, schema_text: str, type_name: str | None) -> dict[str, Any]:
    buffer = io.BytesIO(value)
    buffer.seek(_HEADER_BYTES)
    try:
        writer = parse_schema(json.loads(schema_text))
        reader = None if type_name is None else parsed_schema(type_name)
        fields = fastavro.schemaless_reader(buffer, writer, reader)
        if not isinstance(fields, dict):
            raise ValueError(f"its schema is {writer}, no record")
    except Exception as error:
        raise Poison(f"the bytes don't read by the stored schema: {error!r}") from error
    if rest := len(value) - buffer.tell():
        raise Poison(f"{rest} bytes follow what the stored schema reads")
    return fields
