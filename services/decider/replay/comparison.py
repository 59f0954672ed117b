"""What differs between a recorded answer and the same answer made again, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.decider.replay.history import Answer
from tradetrail.events import from_datum, to_datum
from tradetrail.events.generated import DecisionMade
from tradetrail.reports.encode import instant, plain, to_json

# A value longer than this says no more to a reader; what differs stands at its beginning or in the log.
TEXT_LENGTH_MAX = 300
# An answer to another question differs everywhere; the first fields tell it.
FIELDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Differing:
    """A field, what the log has in it, and what the replay has; None where one of them has no such field."""

    field: str
    recorded: str | None
    replayed: str | None


def differing(recorded: Answer, replayed: Answer) -> list[Differing]:
    """Return the fields that differ, at most ``FIELDS_MAX``; what kind of answer it is comes first."""
    if recorded == replayed:
        return []
    # As the wire would have it: the log's decimals have nine digits after the point.
    as_wired = from_datum(type(replayed).TYPE, to_datum(replayed))
    if recorded == as_wired:
        return []
    if type(recorded) is not type(replayed):
        return [Differing("answer", outcome(recorded), outcome(replayed))]
    found = list(_differences("", to_datum(recorded), to_datum(as_wired)))
    if len(found) > FIELDS_MAX:
        more = f"{len(found) - FIELDS_MAX} more fields"
        found = [*found[:FIELDS_MAX], Differing("…", more, more)]
    return found


def outcome(answer: Answer) -> str:
    """Return an answer in a few words: what to trade, or why nothing."""
    if isinstance(answer, DecisionMade):
        return f"{answer.side} {plain(answer.quantity)}"
    return f"{answer.reason}: {answer.reason_text}"[:TEXT_LENGTH_MAX]


def _differences(path: str, recorded: Any, replayed: Any) -> Iterator[Differing]:
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        for name, value in recorded.items():
            yield from _differences(f"{path}.{name}" if path else name, value, replayed.get(name))
    elif isinstance(recorded, list) and isinstance(replayed, list):
        if len(recorded) != len(replayed):
            yield Differing(f"{path} (number)", str(len(recorded)), str(len(replayed)))
        for index, (one, other) in enumerate(zip(recorded, replayed, strict=False)):
            yield from _differences(f"{path}[{index}]", one, other)
    elif recorded != replayed:
        yield Differing(path, _text(recorded), _text(replayed))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, dict | list):
        return to_json(value)[:TEXT_LENGTH_MAX]
    return value.isoformat() if isinstance(value, date) else str(value)[:TEXT_LENGTH_MAX]
