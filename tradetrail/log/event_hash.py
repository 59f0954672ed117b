"""The hash of an event, over its exact bytes and its place in the log: decided once (docs/audit-database.md)."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime
from functools import lru_cache

from tradetrail.log.reader import Received

# Names what the hash covers and how; a later form would be a new name beside this one, never a change of it.
HASH_DOMAIN = b"tradetrail.event.1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
# Topics: there are few.
_REMEMBERED = 1_024
_LENGTH = struct.Struct(">q")
_PLACE = struct.Struct(">qqq")
_NOTHING = _LENGTH.pack(-1)


def event_hash(message: Received) -> bytes:
    """Return the SHA-256 over position, append time, key and value.

    Hashed bytes: the domain name, the topic, each after its length; partition, offset, append time in milliseconds
    since 1970; key and value, each after its length. Every number is 8 bytes, big-endian, signed; a missing key or
    value has length -1. So no border can shift.
    """
    key, value = message.key, message.value
    since = message.appended_at - _EPOCH
    millis = (since.days * _DAY_S + since.seconds) * 1_000 + since.microseconds // 1_000
    # Few calls with large parts: each call costs as much as hashing a few hundred bytes.
    head = _topic_head(message.topic) + _PLACE.pack(message.partition, message.offset, millis)
    sized_key = _NOTHING if key is None else _LENGTH.pack(len(key)) + key
    size = _NOTHING if value is None else _LENGTH.pack(len(value))
    digest = hashlib.sha256(head + sized_key + size)
    digest.update(value or b"")
    return digest.digest()


@lru_cache(_REMEMBERED)
def _topic_head(topic: str) -> bytes:
    parts = (HASH_DOMAIN, topic.encode())
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)
