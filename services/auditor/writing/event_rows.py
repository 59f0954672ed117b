"""Rows of ``events`` in COPY's binary format, each column put together once; its values are the events' exact bytes."""

from __future__ import annotations

import struct
from binascii import unhexlify
from datetime import UTC, date, datetime
from functools import lru_cache
from uuid import UUID

from services.auditor.entry import Entry, NotStorable
from tradetrail.log.event_hash import event_hash

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_COLUMNS = 14
# Postgres counts days and microseconds from here.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.date()
_SIZE = struct.Struct(">i")
_DAY = struct.Struct(">hii")
_PARTITION = struct.Struct(">ii")
_INSTANT = struct.Struct(">iq")
_OFFSET_INSTANT = struct.Struct(">iqiq")
_NULL = _SIZE.pack(-1)
_UUID_BYTES = 16
_UUID_SIZE, _HASH_SIZE = _SIZE.pack(_UUID_BYTES), _SIZE.pack(32)
# Places, types and symbols that recur; a batch has few.
_REMEMBERED = 4_096
_DAY_S = 86_400


def event_row(entry: Entry) -> list[bytes]:
    """Return the parts of an entry's row in the binary COPY of ``events``; columns: ``EVENT_COLUMNS``.

    The value is a part of its own, the very bytes of the event: nothing of it is copied here. Raises NotStorable for an
    event whose id is no UUID, or with a NUL in a text.
    """
    message = entry.message
    value = message.value
    head = b"".join(
        (
            _place(entry.month, message.topic, message.partition),
            _OFFSET_INSTANT.pack(8, message.offset, 8, _micros(message.appended_at)),
            _said(entry),
            _HASH_SIZE,
            event_hash(message),
            _sized(message.key),
            _NULL if value is None else _SIZE.pack(len(value)),
        )
    )
    return [head, value] if value else [head]


def _said(entry: Entry) -> bytes:
    """Return type, symbol, event id, time, story and schema: what the event says of itself."""
    if entry.decoded is None:
        return _NULL * 6
    datum = entry.decoded.datum
    return b"".join(
        (
            _text(entry.type_name),
            _text(datum["symbol"]),
            _UUID_SIZE,
            _uuid(datum["event_id"]),
            _INSTANT.pack(8, _occurred_micros(datum["occurred_at"])),
            _text(datum["story_id"]),
            _PARTITION.pack(4, entry.decoded.schema_id),
        )
    )


@lru_cache(_REMEMBERED)
def _place(month: date, topic: str, partition: int) -> bytes:
    head = _DAY.pack(_COLUMNS, 4, (month - _EPOCH_DAY).days)
    return head + _sized(topic.encode()) + _PARTITION.pack(4, partition)


@lru_cache(_REMEMBERED)
def _text(text: str | None) -> bytes:
    if text is None:
        return _NULL
    if "\0" in text:
        raise NotStorable("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return _sized(text.encode())


def _sized(data: bytes | None) -> bytes:
    return _NULL if data is None else _SIZE.pack(len(data)) + data


def _micros(at: datetime) -> int:
    # By its fields: dividing one timedelta by another takes three times as long.
    since = at - _EPOCH
    return (since.days * _DAY_S + since.seconds) * 1_000_000 + since.microseconds


def _occurred_micros(at: datetime | str) -> int:
    return _micros(datetime.fromisoformat(at) if isinstance(at, str) else at)


def _uuid(text: str) -> bytes:
    try:
        plain = unhexlify(text.replace("-", ""))
        if len(plain) == _UUID_BYTES:
            return plain
    except ValueError:
        pass
    # Any other way to write one; to make an object of each takes ten times as long.
    try:
        return UUID(text).bytes
    except ValueError as error:
        raise NotStorable(f"event_id {text!r} is no UUID") from error
