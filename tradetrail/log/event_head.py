"""When an event occurred, read from the first bytes of its body, which every schema shares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A zero byte, four of the schema's id, one of the event id's length: 36 characters, a UUID.
_ID_AT, _ID_END = 6, 42
_MARKS = ((0, 0), (5, 72))
# Ten groups of seven bits hold 64 bits.
_LONG_BYTES_MAX = 10


def occurred_micros(value: bytes | None) -> int | None:
    """Return when the event of these bytes occurred, microseconds since 1970, UTC; None when they don't begin as one.

    Ten times cheaper than decoding, and what a broken event can still tell.
    """
    if value is None or len(value) <= _ID_END or any(value[at] != mark for at, mark in _MARKS):
        return None
    number = shift = 0
    for byte in value[_ID_END : _ID_END + _LONG_BYTES_MAX]:
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1)
        shift += 7
    return None


def occurred_at(value: bytes | None) -> datetime | None:
    """Return the same as an instant, UTC; None also where no calendar reaches."""
    micros = occurred_micros(value)
    try:
        return None if micros is None else _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None
