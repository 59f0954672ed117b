"""Encoded events with places left open, so that ten million differ without ten million being encoded.

An event is encoded once with a stand-in for whatever changes; the bytes are cut there, and each use joins the pieces
with values of its own. Avro has no lengths around records, so a value may be longer or shorter than its stand-in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from tradetrail.events import Event
from tradetrail.log.codec import Codec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.date()
_SCALE = Decimal(10) ** 9

HASH = "b" * 64
"""Of the one configuration."""

# Stand-ins. No value of a template may look like one of them.
IDS = ("event", "run", "call", "decision", "execution", "order", "record", "record_event")
ID_OF = {name: f"5eedbeef-0000-4000-8000-00000000000{n}" for n, name in enumerate(IDS)}
SYMBOL = "QQQQ"
AT = datetime(2199, 1, 1, 0, 0, 7, tzinfo=UTC)
TRIGGERED, RECORDED = 7_777_777_777, 6_666_666_666
PARTITION = 7_654_321
REPORTED_ON, TRADED_ON = date(2199, 7, 1), date(2198, 7, 1)
QUANTITY, FILLED, FILL, PRICE = (Decimal(f"7777{n}.123456789") for n in range(4))


def envelope(service: str, story: str | None = "decision", **more: Any) -> dict[str, Any]:
    """Return the leading fields of an event, all of them stand-ins or fixed."""
    return {
        "event_id": ID_OF["event"],
        "occurred_at": AT,
        "service": service,
        "service_version": "1",
        "instance": "bench",
        "symbol": SYMBOL,
        "story_id": ID_OF[story] if story else None,
        **more,
    }


class Template:
    """One event with open places."""

    def __init__(self, codec: Codec, event: Event) -> None:
        """Encode ``event``, whose changing parts are this module's stand-ins, and cut it at them."""
        names = {stand_in: name for name, stand_in in _stand_ins().items()}
        found = re.split(b"(" + b"|".join(map(re.escape, names)) + b")", codec.encode(event))
        self._parts = found
        self._open = tuple((place, names[found[place]]) for place in range(1, len(found), 2))

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """Return the event with ``values`` in its open places. Raises KeyError when one is missing."""
        parts = self._parts.copy()
        for place, name in self._open:
            parts[place] = values[name]
        return b"".join(parts)


def number(value: int) -> bytes:
    """Return an int or long as Avro writes it."""
    left = (value << 1) ^ (value >> 63)
    out = bytearray()
    while left > 0x7F:
        out.append((left & 0x7F) | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


def instant(at: datetime) -> bytes:
    """Return a timestamp-micros as Avro writes it."""
    since = at - _EPOCH
    return number((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


@cache
def day(on: date) -> bytes:
    """Return a date as Avro writes it."""
    return number((on - _EPOCH_DAY).days)


@cache
def decimal(value: Decimal) -> bytes:
    """Return a decimal of our scale, with its length, as Avro writes it."""
    unscaled = int(value * _SCALE)
    size = unscaled.bit_length() // 8 + 1
    return number(size) + unscaled.to_bytes(size, "big", signed=True)


def _stand_ins() -> dict[str, bytes]:
    return {
        **{name: text.encode() for name, text in ID_OF.items()},
        "symbol": SYMBOL.encode(),
        "at": instant(AT),
        "triggered": number(TRIGGERED),
        "recorded": number(RECORDED),
        "partition": number(PARTITION),
        "reported_on": day(REPORTED_ON),
        "traded_on": day(TRADED_ON),
        "quantity": decimal(QUANTITY),
        "filled": decimal(FILLED),
        "fill": decimal(FILL),
        "price": decimal(PRICE),
    }
