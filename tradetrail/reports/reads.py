"""Which reports were read under the compliance role: by whom, when, what was asked and how much was answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from tradetrail.events.generated import ReadOutcome
from tradetrail.reports.listing import Listing, Report
from tradetrail.reports.paging import check_name
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows

COLUMNS = (
    *("read_id", "read_at", "reader", "role", "report", "arguments", "path", "format"),
    *("outcome", "rows", "rows_expected", "ended_at", "request_id"),
    *("topic", "partition", "offset", "appended_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFilter:
    """Which reads; None lets every one through. ``start`` and ``end``: days in New York on which somebody read."""

    start: date | None = None
    end: date | None = None
    reader: str | None = None
    report: str | None = None
    outcome: ReadOutcome | None = None


def _arguments(chosen: ReadFilter) -> Report:
    since, until = since_until(chosen.start, chosen.end)
    return {
        "since": since,
        "until": until,
        "reader": check_name("reader", chosen.reader),
        "report": check_name("report", chosen.report),
        "outcome": chosen.outcome,
    }


def _head(connection: psycopg.Connection[Any], chosen: ReadFilter, arguments: Report) -> Report:
    readers = {
        row["name"]: row["count"] for row in rows(connection, "report_reads_totals", arguments)
    }
    return {
        **heading(asdict(chosen)),
        "totals": {"reads": sum(readers.values()), "readers": readers},
    }


# Newest first, and how many there are by reader.
READS: Listing[ReadFilter] = Listing(
    name="reads",
    columns=COLUMNS,
    at="read_at",
    key="read_id",
    arguments=_arguments,
    head=_head,
    query="report_reads_page",
)
