"""Dead letters: which events could not be processed, why, what is in them, and which were appended anew."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import psycopg

from tradetrail.errors import NotRecorded, UsageError
from tradetrail.events.generated import DeadLetterReason
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import LIMIT_DEFAULT, check_name, cut, page_arguments
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows
from tradetrail.reports.readable import readable
from tradetrail.requeues import EventPlace, place_text

Report = dict[str, Any]
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


def dead_letters_report(
    connection: psycopg.Connection[Any],
    chosen: LetterFilter,
    limit: int = LIMIT_DEFAULT,
    after: str | None = None,
) -> Report:
    """Return a page of dead letters, newest first, and how many there are by reason and status.

    ``after`` is the ``next`` of the page before. Raises UsageError for a limit out of bounds, and for a period, cursor,
    topic or key that can't be.
    """
    since, until = since_until(chosen.start, chosen.end)
    check_name("topic", chosen.topic)
    if chosen.key is not None and not chosen.key:
        raise UsageError("an empty key names nothing: leave --key out")
    arguments = {
        "since": since,
        "until": until,
        "topic": chosen.topic,
        "key": None if chosen.key is None else chosen.key.encode(),
        "reason": chosen.reason,
        "status": chosen.status,
    }
    page = page_arguments(limit, after)
    # One state of the database for page and sums.
    with connection.transaction():
        sums = rows(connection, "dead_letters_totals", arguments)
        found = rows(connection, "dead_letters_page", arguments | page)
    reasons: dict[str, int] = {}
    statuses: dict[str, int] = {}
    for row in sums:
        reasons[row["name"] or "unknown"] = reasons.get(row["name"] or "unknown", 0) + row["count"]
        statuses[row["status"]] = statuses.get(row["status"], 0) + row["count"]
    shown, following = cut(found, limit, at="found_at", key="place")
    return {
        **heading(asdict(chosen)),
        "totals": {"dead_letters": sum(statuses.values()), **statuses, "reasons": reasons},
        "next": following,
        "dead_letters": [row | {"source_key": readable(row["source_key"])} for row in shown],
    }


def dead_letters_sheet(report: Report) -> Sheet:
    """Return the page's letters, one row each."""
    return Sheet(COLUMNS, report["dead_letters"])


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
