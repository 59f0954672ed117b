"""``tradetrail report failed``: what failed, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.listings import Asked, put_out
from tradetrail.cli.report.options import (
    After,
    Every,
    First,
    Form,
    Last,
    Limit,
    OfSide,
    OfStrategy,
    OfSymbol,
    Output,
    period,
)
from tradetrail.cli.report.output import ReportFormat
from tradetrail.cli.report.tables import WIDE_COLUMNS, cell, print_section, print_sums
from tradetrail.events.generated import FailureReason
from tradetrail.reports.failed import FAILED, FailedFilter

_SHOWN = (
    *("failed_at", "symbol", "side", "quantity", "reason", "control", "limit", "observed"),
    *("message", "decision_id"),
)
_WHOLE = ("failed_at", "symbol", "decision_id")


def failed(
    first: First = None,
    last: Last = None,
    symbol: OfSymbol = None,
    strategy: OfStrategy = None,
    reason: Annotated[
        FailureReason | None, typer.Option("--reason", help="only decisions that failed for this")
    ] = None,
    side: OfSide = None,
    limit: Limit = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """What failed and why: the reason, the control with limit and observed value, the broker's own words.

    Newest first, and how many there are of each reason. A period counts the day in New York on which a decision failed;
    without one, all of them.
    """
    start, end = period(first, last)
    chosen = FailedFilter(
        start=start, end=end, symbol=symbol, strategy=strategy, side=side, reason=reason
    )
    put_out(FAILED, chosen, Asked(limit, after, every, form, output), print_failed_report)


def print_failed_report(report: dict[str, Any], console: Console) -> None:
    """Print a page of failed decisions as tables for people; times are New York's."""
    told = report["failed"]
    if console.width >= WIDE_COLUMNS:
        print_section(console, "failed", told, _SHOWN, whole=_WHOLE)
    else:
        columns = ("failed_at", "why")
        print_section(console, "failed", [_narrow(row) for row in told], columns, columns[:1])
    totals = report["totals"]
    console.print()
    print_sums(console, "totals", {"failed": totals["failed"], **totals["reasons"]})
    if totals["controls"]:
        print_sums(console, "blocked by", totals["controls"])


def _narrow(row: dict[str, Any]) -> dict[str, Any]:
    why = ": ".join(str(row[name]) for name in ("reason", "control", "message") if row[name])
    what = f"{cell(row['symbol'])} {cell(row['side'])} {cell(row['quantity'])}"
    return {
        "failed_at": f"{cell(row['failed_at'])}\n{what}",
        "why": f"{why}\n{cell(row['strategy'])}\n{row['decision_id']}",
    }
