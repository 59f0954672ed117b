"""The schema files as the codec uses them: text, parsed, and the envelope that leads each of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastavro.schema import parse_schema

from tradetrail.events.generated import CATALOGUE

FOLDER = Path(__file__).resolve().parents[2] / "schemas"
# How many leading fields every schema shares, in this order (design: the envelope can be read alone).
ENVELOPE_FIELD_COUNT = 8


def schema_text(type_name: str) -> str:
    """Return the schema file of an event type (full name) as canonical JSON."""
    path = FOLDER / f"{type_name.rsplit('.', 1)[-1]}.avsc"
    return json.dumps(json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"))


@cache
def parsed_schema(type_name: str) -> Any:
    """Return the schema of an event type, parsed for the Avro library."""
    return parse_schema(json.loads(schema_text(type_name)))


@cache
def released_version(type_name: str, text: str) -> int | None:
    """Return which released version of an event type a schema's text is; None for a text that is none of them.

    Compared as parsed: a registry may spell the same schema in another way.
    """
    if type_name not in CATALOGUE:
        return None
    try:
        parsed = parse_schema(json.loads(text))
    except Exception:  # noqa: BLE001
        # Whatever else the text is, it is no released version.
        return None
    for path in (FOLDER / "released").glob(f"{type_name.rsplit('.', 1)[-1]}.*.avsc"):
        if parse_schema(json.loads(path.read_text(encoding="utf-8"))) == parsed:
            return int(path.name.split(".")[1])
    return None


@cache
def envelope_schema() -> Any:
    """Return a schema of the shared leading fields alone; decoding with it stops after the envelope."""
    first = json.loads(schema_text(next(iter(CATALOGUE))))
    fields = first["fields"][:ENVELOPE_FIELD_COUNT]
    return parse_schema(
        {"type": "record", "name": "Envelope", "namespace": first["namespace"], "fields": fields}
    )
