"""One event as the auditor holds it: where it stands, its exact bytes, what it says or why it can't be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from tradetrail.errors import Poison
from tradetrail.events.generated import DeadLetterReason
from tradetrail.log.codec import BadEvent, Decoded
from tradetrail.log.reader import Received
from tradetrail.reports.encode import instant, to_json

# Ids are 31 bits on the wire of every registry; a broken header can claim more.
_SCHEMA_ID_MAX = (1 << 31) - 1
# Months and types: there are few of each.
_REMEMBERED = 1_024


@dataclass(slots=True)
class Entry:
    """An event of the log.

    Exactly one of ``decoded`` and ``bad`` is set, but for tombstones, which have neither. ``published``: the dead
    letter of a bad one is confirmed.
    """

    message: Received
    decoded: Decoded | None = None
    bad: BadEvent | None = None
    published: bool = False

    @property
    def place(self) -> tuple[str, int, int]:
        """Return topic, partition and offset."""
        return (self.message.topic, self.message.partition, self.message.offset)

    @property
    def month(self) -> date:
        """Return the first day of the month, UTC, of Kafka's append time."""
        at = self.message.appended_at
        return _first_day(at.year, at.month)

    @property
    def type_name(self) -> str | None:
        """Return the event type without its namespace."""
        return _short(self.decoded.type_name) if self.decoded else None

    def position(self) -> dict[str, Any]:
        """Return where the event stands, by the columns of a row that it makes."""
        message = self.message
        return {
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            # Made a text once, not for each of its rows.
            "available_at": instant(message.appended_at),
        }

    @property
    def claimed_schema_id(self) -> int | None:
        """Return the schema id that a bad event claims, if it is one that a registry could give."""
        claimed = self.bad.schema_id if self.bad else None
        return claimed if claimed is not None and claimed <= _SCHEMA_ID_MAX else None

    def refuse(self, reason: str) -> None:
        """Turn it into an event that can be kept but not read: its content does not fit the tables."""
        schema_id = self.decoded.schema_id if self.decoded else None
        self.bad = BadEvent(DeadLetterReason.NOT_STORABLE, reason, schema_id)
        self.decoded = None


@lru_cache(_REMEMBERED)
def _first_day(year: int, month: int) -> date:
    return date(year, month, 1)


@lru_cache(_REMEMBERED)
def _short(type_name: str) -> str:
    return type_name.rpartition(".")[2]


def json_text(text: str | None) -> str | None:
    """Return ``text`` if Postgres can keep it as JSON, else the JSON string that says it."""
    if text is None:
        return None
    try:
        _demand_json(text)
        readable = "\\u0000" not in text
    except (ValueError, RecursionError):
        readable = False
    return text if readable else to_json(text)


def _demand_json(text: str) -> None:
    """Raise ValueError or RecursionError for what is no JSON."""
    try:
        _, end = _scan(text, 0)
    except StopIteration:
        end = 0
    if end != len(text):
        # White space around it, or no JSON. To look for it first would take half of the time.
        _JSON.decode(text)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


# Numbers are not looked at: what no machine number can hold is for the database to judge. Made once: ``json.loads``
# would make one for each text.
_JSON = json.JSONDecoder(parse_constant=_refuse, parse_float=str)
_scan: Callable[[str, int], tuple[Any, int]] = _JSON.scan_once  # type: ignore[attr-defined]


class NotStorable(Poison):
    """The database refuses what an event says (too long, out of range): it goes to dead letters."""
