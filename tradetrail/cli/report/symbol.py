"""``tradetrail report symbol``: all activity of a symbol in a period."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.options import (
    After,
    First,
    Form,
    Last,
    LimitOfEach,
    Output,
    period,
    reader,
)
from tradetrail.cli.report.output import ReportFormat, show_lists
from tradetrail.cli.report.tables import print_section, print_sums
from tradetrail.errors import UsageError
from tradetrail.reports.paging import LIMIT_MAX
from tradetrail.reports.symbol import By, symbol_report, symbol_sheet, symbol_span

# What the tables on a terminal show of each section; the other formats give everything.
_SHOWN = {
    "data_ingested": (
        *("disclosed_on", "transaction_date", "politician", "insider", "transaction_type"),
        *("ingested_at", "withdrawn_at", "moved_to_symbol"),
    ),
    "decisions_made": ("created_at", "strategy", "side", "quantity", "status", "failure_reason"),
    "declined": ("created_at", "strategy", "side", "reason", "reason_text"),
    "trades_executed": ("filled_at", "side", "quantity", "filled_avg_price", "decision_id"),
}


def symbol(
    name: Annotated[str, typer.Argument(metavar="SYMBOL", help="such as AAPL or BRK.B")],
    first: First = None,
    last: Last = None,
    by: Annotated[
        By, typer.Option("--by", help="which day of a disclosure the period applies to")
    ] = By.REPORTED,
    limit: LimitOfEach = None,
    after: After = None,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """All activity of a symbol in a period: data ingested, decisions, declined signals, trades.

    Without a period: over everything that is recorded about it. Each list has --limit rows; the sums count all.
    """
    start, end = period(first, last)
    with reader() as connection:
        span = symbol_span(connection, name)
        if span is None:
            raise UsageError(f"nothing is recorded about {name.upper()}; check the symbol")
        begin = start or min(span[0], end or span[0])
        until = end or max(span[1], begin)
        report = symbol_report(
            connection, name, begin, until, by, limit=limit or LIMIT_MAX, after=after
        )
    show_symbol_report(report, form, output)


def show_symbol_report(
    report: dict[str, Any], form: ReportFormat, output: Path | None = None
) -> None:
    """Print a symbol report to stdout or into a file."""
    show_lists(report, form, output, printer=_print, sheet=symbol_sheet)


def _print(report: dict[str, Any], console: Console) -> None:
    asked = report["period"]
    console.print(f"[bold]{report['symbol']}[/] from {asked['from']} to {asked['to']}")
    for section, columns in _SHOWN.items():
        total = report["totals"][section]
        print_section(console, section, report[section], columns, total=total)
    console.print()
    for name, sums in report["summary"].items():
        print_sums(console, name, sums)
