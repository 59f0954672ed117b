"""What the act of requeueing a dead letter says: which letter, and where its event stands since. Pure."""

from __future__ import annotations

import json
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.operator_acts import canonical

EventPlace = tuple[str, int, int]
"""Topic, partition and offset of one event."""

# Postgres keeps an offset in 64 bits and a partition in 32; Kafka's own limits are the same. A topic's name has 249.
_PARTITION_MAX = (1 << 31) - 1
_OFFSET_MAX = (1 << 63) - 1
_TOPIC_LENGTH_MAX = 249


def place_text(place: EventPlace) -> str:
    """Return a place as people type it: topic/partition/offset."""
    return "/".join(map(str, place))


def parse_place(text: str) -> EventPlace:
    """Return the place that ``text`` names. Raises UsageError for what is none."""
    topic, _, rest = text.partition("/")
    partition, _, offset = rest.partition("/")
    try:
        place = _checked([topic, int(partition), int(offset)])
    except ValueError:
        place = None
    if place is None:
        raise UsageError(
            f"{text[:80]!r} is no dead letter's place: give TOPIC/PARTITION/OFFSET as `tradetrail dead-letters list` "
            "shows it, such as trade.megacap/0/17"
        )
    return place


def requeue_arguments(letter: EventPlace, event_id: str, place: EventPlace) -> str:
    """Return the arguments of the act by which ``letter``'s event came to stand at ``place``."""
    return canonical({"letter": list(letter), "event_id": event_id, "requeued": list(place)})


def read_requeue(arguments: str) -> tuple[EventPlace, EventPlace] | None:
    """Return letter and new place out of an act's arguments; None for what doesn't say them."""
    try:
        told = json.loads(arguments)
        places = _checked(told["letter"]), _checked(told["requeued"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    letter, place = places
    return (letter, place) if letter is not None and place is not None else None


def _checked(told: Any) -> EventPlace | None:
    match told:
        case [str(topic), int(partition), int(offset)] if (
            0 < len(topic) <= _TOPIC_LENGTH_MAX
            and topic.isprintable()
            and "/" not in topic
            and type(partition) is type(offset) is int
            and 0 <= partition <= _PARTITION_MAX
            and 0 <= offset <= _OFFSET_MAX
        ):
            return (topic, partition, offset)
    return None


STANDS_ALONE = frozenset({"ApiCallRecorded", "AlertRaised", "QueryRecorded"})
"""Types whose place among others means nothing: they are requeued whatever follows, and hold up nothing."""
RECORD_FACTS = frozenset({"DisclosureRecorded", "DisclosureWithdrawn"})
"""Facts about one record of the vendor: only what is said of the same record later rests on them."""
RUN_LIFE = frozenset({"IngestionRunStarted", "IngestionRunCompleted", "IngestionRunFailed"})


def depends(kind: str, datum: dict[str, Any], later_kind: str, later: dict[str, Any]) -> bool:
    """Tell whether a later event under the same key rests on an event of type ``kind`` that says ``datum``.

    Type names are without namespace. docs/dead-letters.md tells the rule to people.
    """
    if kind in STANDS_ALONE or later_kind in STANDS_ALONE:
        return False
    if later_kind == "OperatorActed" and later["act"] == "requeue":
        return False
    if kind in RECORD_FACTS:
        return datum["record_id"] in _records(later_kind, later)
    if kind in RUN_LIFE:
        return later_kind in RUN_LIFE and later["run_id"] == datum["run_id"]
    return True


def _records(kind: str, datum: dict[str, Any]) -> set[str]:
    if kind in RECORD_FACTS:
        return {datum["record_id"]}
    if kind == "DecisionMade":
        return {record["record_id"] for record in datum["rationale"]["source_data"]["records"]}
    return set()
