"""Dead letters: which events could not be processed, why, what is in them, and which were appended anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import psycopg

from tradetrail.errors import NotRecorded, UsageError
from tradetrail.events.generated import DeadLetterReason
from tradetrail.reports.listing import Listing, Report
from tradetrail.reports.paging import check_name
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows
from tradetrail.reports.readable import readable
from tradetrail.requeues import EventPlace, place_text

COLUMNS = (
    *("place", "found_at", "source_topic", "source_partition", "source_offset", "source_key"),
    *("reason_code", "reason", "schema_id", "status", "requeued_at", "requeued_by"),
    *("requeued_why", "requeued_place"),
)


class LetterStatus(StrEnum):
    """What became of a dead letter."""

    WAITING = "waiting"
    REQUEUED = "requeued"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which letters; None lets every one through. ``start`` and ``end``: days in New York on which it was found."""

    start: date | None = None
    end: date | None = None
    topic: str | None = None
    key: str | None = None
    reason: DeadLetterReason | None = None
    status: LetterStatus | None = None


def _arguments(chosen: LetterFilter) -> Report:
    since, until = since_until(chosen.start, chosen.end)
    if chosen.key is not None and not chosen.key:
        raise UsageError("an empty key names nothing: leave --key out")
    return {
        "since": since,
        "until": until,
        "topic": check_name("topic", chosen.topic),
        "key": None if chosen.key is None else chosen.key.encode(),
        "reason": chosen.reason,
        "status": chosen.status,
    }


def _head(connection: psycopg.Connection[Any], chosen: LetterFilter, arguments: Report) -> Report:
    reasons: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for row in rows(connection, "dead_letters_totals", arguments):
        reasons[row["name"] or "unknown"] += row["count"]
        statuses[row["status"]] += row["count"]
    totals = {"dead_letters": statuses.total(), **statuses, "reasons": dict(reasons)}
    return {**heading(asdict(chosen)), "totals": totals}


def _with_readable_key(_: psycopg.Connection[Any], letters: list[Report]) -> list[Report]:
    return [letter | {"source_key": readable(letter["source_key"])} for letter in letters]


# Newest first, and how many there are by reason and status.
DEAD_LETTERS: Listing[LetterFilter] = Listing(
    name="dead_letters",
    columns=COLUMNS,
    at="found_at",
    key="place",
    arguments=_arguments,
    head=_head,
    query="dead_letters_page",
    complete=_with_readable_key,
)
dead_letters_report, dead_letters_sheet = DEAD_LETTERS.report, DEAD_LETTERS.sheet


def dead_letter(connection: psycopg.Connection[Any], place: EventPlace) -> Report:
    """Return the letter of the event at ``place`` with its bytes. Raises NotRecorded when there is none."""
    topic, partition, offset = place
    asked = {"topic": topic, "partition": partition, "offset": offset}
    found = rows(connection, "dead_letter", asked)
    if not found:
        raise NotRecorded(
            f"there is no dead letter of {place_text(place)}: `tradetrail dead-letters list` shows those there are"
        )
    return found[0]
