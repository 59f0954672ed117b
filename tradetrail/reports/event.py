"""One event of the log: its exact bytes, their hash computed again, and what they say by the schema kept with them.

Nothing but the database is asked: an event reads the same years later, without Kafka, registry or services.
"""

from __future__ import annotations

import zlib
from typing import Any

import psycopg

from tradetrail.calls import joined_body
from tradetrail.errors import NotRecorded, Poison, UsageError
from tradetrail.events import from_datum
from tradetrail.events.generated import ApiCallRecorded
from tradetrail.events.schemas import released_version
from tradetrail.log.event_hash import event_hash
from tradetrail.log.reader import Received
from tradetrail.log.stored_value import as_today, as_written
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import check_name
from tradetrail.reports.queries import rows
from tradetrail.reports.readable import readable, readable_values

Report = dict[str, Any]
# Bounds of the columns; Kafka's own are the same. A topic's name has at most 249 characters.
PARTITION_MAX = (1 << 31) - 1
OFFSET_MAX = (1 << 63) - 1
TOPIC_LENGTH_MAX = 249
# An answer larger than this is left compressed; the largest that a task fetches is a few MB.
_BODY_BYTES_MAX = 16 << 20
_SAID = ("type", "symbol", "event_id", "occurred_at", "story_id")
_EVENT = (
    *("topic", "partition", "offset", "appended_at", *_SAID, "key", "size_bytes"),
    *("hash", "recomputed_hash", "hash_fits", "copies"),
    *("schema_id", "schema_name", "schema_version", "reason_code", "reason"),
)
COLUMNS = (*_EVENT, "unreadable_because", "content", "body", "body_parts", "key_hex", "value_hex")


def event_report(
    connection: psycopg.Connection[Any], topic: str, partition: int, offset: int
) -> Report:
    """Return what stands at a place of the log, its bytes and what they say.

    Held in memory whole: an event has a mebibyte at most, the answer it carries ``_BODY_BYTES_MAX``. Raises
    NotRecorded for a place where nothing stands, UsageError for what can be no place.
    """
    check_name("topic", topic)
    if not (0 <= partition <= PARTITION_MAX and 0 <= offset <= OFFSET_MAX):
        raise UsageError(
            f"{partition} and {offset} are no partition and offset: 0 to {PARTITION_MAX}, 0 to {OFFSET_MAX}"
        )
    asked = {"topic": topic, "partition": partition, "offset": offset}
    # One state of the database for the event and the other parts of its answer.
    with connection.transaction():
        return _report(connection, asked)


def event_sheet(report: Report) -> Sheet:
    """Return the event as one row."""
    return Sheet(COLUMNS, [report | report["event"]])


def _report(connection: psycopg.Connection[Any], asked: Report) -> Report:
    topic, partition, offset = asked["topic"], asked["partition"], asked["offset"]
    found = rows(connection, "event", asked)
    if not found:
        raise NotRecorded(
            f"the audit database has no event at {topic}/{partition}/{offset}; transactions leave gaps in the offsets, "
            "and `tradetrail verify` tells whether one is missing"
        )
    row = found[0]
    value = None if row["value"] is None else bytes(row["value"])
    key = None if row["key"] is None else bytes(row["key"])
    computed = event_hash(Received(topic, partition, offset, key, value, row["appended_at"]))
    event = row | {
        "key": readable(key),
        "size_bytes": None if value is None else len(value),
        "hash": bytes(row["hash"]).hex(),
        "recomputed_hash": computed.hex(),
        "hash_fits": bytes(row["hash"]) == computed,
        "copies": len(found),
        "schema_version": row["schema"] and released_version(row["schema_name"], row["schema"]),
    }
    return {
        "event": {name: event[name] for name in _EVENT},
        **_content(connection, row, value),
        "key_hex": None if key is None else key.hex(),
        "value_hex": None if value is None else value.hex(),
    }


def _content(connection: psycopg.Connection[Any], row: Report, value: bytes | None) -> Report:
    """Return the fields as they were written, a vendor's answer as it came, and why there are none."""
    nothing: Report = {"unreadable_because": None, "content": None, "body": None, "body_parts": []}
    if value is None:
        return nothing | {"unreadable_because": "it has no body: under this key, it deletes"}
    if row["schema"] is None:
        why = row["reason"] or "the database has no schema for it"
        return nothing | {"unreadable_because": why}
    try:
        written = as_written(value, row["schema"])
    except Poison as error:
        return nothing | {"unreadable_because": str(error)}
    told = nothing | {"content": readable_values(written)}
    if row["schema_name"] != ApiCallRecorded.TYPE:
        return told
    parts: list[Report] = []
    if written.get("chunk_count") != 1:
        parts = rows(connection, "event_body_parts", written)
    if (written.get("response_size_bytes") or 0) <= _BODY_BYTES_MAX:
        others = [rows(connection, "event", part) for part in parts]
        told["body"] = _body([found[0] for found in others if found] if parts else [row])
    return told | {"body_parts": parts}


def _body(found: list[Report]) -> str | None:
    """Return the answer that recorded calls carry in parts, None when one is missing or they don't fit its hash."""
    try:
        calls = [
            from_datum(
                ApiCallRecorded.TYPE,
                as_today(bytes(row["value"]), row["schema"], ApiCallRecorded.TYPE),
            )
            for row in found
        ]
        body = joined_body([call for call in calls if isinstance(call, ApiCallRecorded)])
    except (Poison, ValueError, TypeError, OSError, EOFError, zlib.error):
        # What is damaged stands in the fields, as it is.
        return None
    return body if body is None else body.decode(errors="replace")
