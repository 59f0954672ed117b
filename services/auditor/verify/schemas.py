"""The stored schemas against the registry's; when the registry is away, events are read by the stored ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.auditor.verify.findings import Code, Finding, short
from tradetrail.errors import Retryable
from tradetrail.log.codec import BadEvent, Codec

_TABLE = "schemas"


@dataclass(frozen=True, slots=True)
class Schemas:
    """How many schemas are stored, and why they weren't compared with the registry's, None when they were."""

    stored: int = 0
    unverified_because: str | None = None


def check_schemas(
    codec: Codec, schemas: Mapping[int, tuple[str, str]], found: Callable[[Finding], None]
) -> Schemas:
    """Tell each stored schema (id → type, text) that is not the registry's to ``found``."""
    for number, (name, text) in schemas.items():
        try:
            theirs = codec.writer_schema(number)
        except BadEvent as error:
            found(_finding(number, "schema", str(error), text))
            continue
        except Retryable as error:
            _read_by_stored(codec, schemas)
            return Schemas(len(schemas), str(error))
        if theirs != text:
            found(_finding(number, "schema", theirs, text))
        elif (said := codec.schema_type(number)) != name:
            found(_finding(number, "type", said, name))
    return Schemas(len(schemas))


def _read_by_stored(codec: Codec, schemas: Mapping[int, tuple[str, str]]) -> None:
    for number, (_, text) in schemas.items():
        try:
            codec.keep(number, text)
        except BadEvent:
            continue


def _finding(number: int, column: str, log: str, database: str) -> Finding:
    return Finding(
        Code.SCHEMA_DIFFERS,
        table=_TABLE,
        key=f"schema_id={number}",
        column=column,
        log=f"the registry: {short(log)}",
        database=short(database),
    )
