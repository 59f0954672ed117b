"""The story of every ingestion run: what it was asked, each vendor call, what it delivered, or why it failed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import psycopg

from tradetrail.errors import NotRecorded
from tradetrail.reports.listing import Listing, Report
from tradetrail.reports.paging import check_among, check_name
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows
from tradetrail.tasks import DATA_SOURCES

COLUMNS = (
    *("run_id", "task_name", "data_source", "trigger", "requested_by"),
    *("started_at", "completed_at", "failed_at", "status", "data_date_start", "data_date_end"),
    *("records_fetched", "records_created", "records_updated", "records_skipped"),
    *("records_flagged", "flags", "findings", "api_calls"),
    *("error_code", "error_message", "error_details"),
)


class RunStatus(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs; None lets every one through. ``start`` and ``end``: days in New York on which it started."""

    start: date | None = None
    end: date | None = None
    task: str | None = None
    data_source: str | None = None
    status: RunStatus | None = None
    run: str | None = None


def _arguments(chosen: RunFilter) -> dict[str, Any]:
    since, until = since_until(chosen.start, chosen.end)
    return {
        "since": since,
        "until": until,
        "task_name": check_name("task", chosen.task),
        "data_source": check_name("data source", chosen.data_source),
        "status": chosen.status,
        "run_id": check_name("run id", chosen.run),
    }


def _check_known(connection: psycopg.Connection[Any], chosen: RunFilter) -> None:
    """Tell a filter that nothing happens to pass from one that nothing ever could."""
    recorded = rows(connection, "run_names")
    for what, asked, column, ours in (
        ("task", chosen.task, "task_name", DATA_SOURCES.keys()),
        ("data source", chosen.data_source, "data_source", DATA_SOURCES.values()),
    ):
        check_among(what, asked, [*(row[column] for row in recorded), *ours])
    by_id = _arguments(RunFilter(run=chosen.run))
    if chosen.run is not None and not rows(connection, "run_totals", by_id)[0]["runs"]:
        raise NotRecorded(f"no run {chosen.run!r} is recorded; leave the id away to list all runs")


def _head(connection: psycopg.Connection[Any], chosen: RunFilter, arguments: Report) -> Report:
    totals = rows(connection, "run_totals", arguments)[0]
    if not totals["runs"]:
        _check_known(connection, chosen)
    return {**heading(asdict(chosen)), "totals": totals}


def _stories(connection: psycopg.Connection[Any], runs: list[Report]) -> list[Report]:
    """Return runs, each with its calls."""
    by_run: dict[str, list[Report]] = {}
    for call in rows(connection, "run_calls", {"run_ids": [run["run_id"] for run in runs]}):
        by_run.setdefault(call.pop("run_id"), []).append(call)
    whole = ({**run, "api_calls": by_run.get(run["run_id"], [])} for run in runs)
    return [{column: run[column] for column in COLUMNS} for run in whole]


# Newest first.
RUNS: Listing[RunFilter] = Listing(
    name="runs",
    columns=COLUMNS,
    at="began_at",
    key="run_id",
    arguments=_arguments,
    head=_head,
    query="runs",
    complete=_stories,
)
run_report, run_sheet = RUNS.report, RUNS.sheet
