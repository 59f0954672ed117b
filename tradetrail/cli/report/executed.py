"""``tradetrail report executed``: what executed."""

from __future__ import annotations

from typing import Any

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
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.executed import EXECUTED

_SHOWN = (
    *("executed_at", "symbol", "side", "filled_quantity", "filled_price", "filled_value_usd"),
    *("strategy", "decision_status", "decision_id"),
)
_WHOLE = ("executed_at", "symbol", "decision_id")


def executed(
    first: First = None,
    last: Last = None,
    symbol: OfSymbol = None,
    strategy: OfStrategy = None,
    side: OfSide = None,
    limit: Limit = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """What executed: every decision that bought or sold something, with price, value and rationale.

    Newest first. A period counts the day in New York of the last fill; without one, all of them. A decision of which
    only a part was filled is there too: its status tells.
    """
    start, end = period(first, last)
    chosen = TradeFilter(start=start, end=end, symbol=symbol, strategy=strategy, side=side)
    put_out(EXECUTED, chosen, Asked(limit, after, every, form, output), print_executed_report)


def print_executed_report(report: dict[str, Any], console: Console) -> None:
    """Print a page of executed trades as tables for people; times are New York's."""
    told = report["executed"]
    if console.width >= WIDE_COLUMNS:
        print_section(console, "executed", told, _SHOWN, whole=_WHOLE)
    else:
        columns = ("executed_at", "what")
        print_section(console, "executed", [_narrow(row) for row in told], columns, columns[:1])
    console.print()
    print_sums(console, "totals", report["totals"])


def _narrow(row: dict[str, Any]) -> dict[str, Any]:
    what = f"{cell(row['filled_quantity'])} of {cell(row['quantity'])} at {cell(row['filled_price'])} USD"
    return {
        "executed_at": f"{cell(row['executed_at'])}\n{cell(row['symbol'])} {cell(row['side'])}",
        "what": f"{what}, {row['decision_status']}\n{cell(row['strategy'])}\n{row['decision_id']}",
    }
