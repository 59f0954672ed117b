"""``tradetrail report runs``: the story of every ingestion run."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.listings import Asked, put_out
from tradetrail.cli.report.options import After, Every, First, Form, Last, Limit, Output, period
from tradetrail.cli.report.output import ReportFormat
from tradetrail.cli.report.tables import cell, print_section, print_sums
from tradetrail.reports.runs import RUNS, RunFilter, RunStatus

_COUNTS = ("fetched", "created", "updated", "skipped", "flagged")
_SHOWN = ("started", "task", "window", "status", *_COUNTS, "calls")
# Below this a run has two lines, and its counts are words.
_WIDE_COLUMNS = 140
_FAILED = ("failed_at", "task", "why")
_FOUND = ("completed_at", "code", "subject", "message")


def runs(
    first: First = None,
    last: Last = None,
    task: Annotated[
        str | None, typer.Option("--task", help="only this task, such as data_fetch:congress_daily")
    ] = None,
    data_source: Annotated[
        str | None, typer.Option("--data-source", help="only this source, such as maintenance")
    ] = None,
    status: Annotated[
        RunStatus | None, typer.Option("--status", help="only runs of this status")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN_ID", help="only the run of this id")
    ] = None,
    limit: Limit = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """Every ingestion run: what it was asked, each vendor call, what it delivered, or why it failed.

    Newest first. A period counts the day in New York on which a run started; without one, all runs.
    """
    start, end = period(first, last)
    chosen = RunFilter(
        start=start, end=end, task=task, data_source=data_source, status=status, run=run
    )
    put_out(RUNS, chosen, Asked(limit, after, every, form, output), print_run_report)


def print_run_report(report: dict[str, Any], console: Console) -> None:
    """Print a page of runs as tables for people; times are New York's."""
    told = report["runs"]
    if console.width >= _WIDE_COLUMNS:
        print_section(console, "runs", [_row(run) for run in told], _SHOWN, whole=_SHOWN)
    else:
        columns = ("started", "task", "counts")
        print_section(console, "runs", [_narrow(run) for run in told], columns, whole=columns[:2])
    failed = [
        {
            "failed_at": run["failed_at"],
            "task": run["task_name"],
            "why": f"{run['error_code']}: {run['error_message']}",
        }
        for run in told
        if run["status"] == RunStatus.FAILED
    ]
    if failed:
        print_section(console, "failed", failed, _FAILED, whole=_FAILED[:2])
    found = [
        run | finding for run in told for finding in run["findings"] if isinstance(finding, dict)
    ]
    if found:
        print_section(console, "findings", found, _FOUND)
    totals = dict(report["totals"])
    flags = totals.pop("flags")
    console.print()
    print_sums(console, "totals", totals)
    if flags:
        print_sums(console, "flags", flags)


def _row(run: dict[str, Any]) -> dict[str, Any]:
    window = [str(day) for day in (run["data_date_start"], run["data_date_end"]) if day]
    return {
        "started": run["started_at"],
        "task": run["task_name"],
        "window": " to ".join(dict.fromkeys(window)) or None,
        "status": run["status"],
        **{name: run[f"records_{name}"] for name in _COUNTS},
        "calls": len(run["api_calls"]),
    }


def _narrow(run: dict[str, Any]) -> dict[str, Any]:
    row = _row(run)
    counts = [f"{name} {row[name]}" for name in ("calls", *_COUNTS) if row[name] is not None]
    return {
        "started": f"{cell(row['started'])}\n{row['status']}",
        "task": f"{row['task']}\n{row['window'] or ''}",
        "counts": ", ".join(counts),
    }
