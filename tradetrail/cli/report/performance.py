"""``tradetrail report performance``: how each strategy's signals fared."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from tradetrail.cli.report.options import First, Form, Last, OfStrategy, Output, period, reader
from tradetrail.cli.report.output import ReportFormat, show
from tradetrail.cli.report.tables import print_section, print_sums
from tradetrail.reports.performance import (
    PerformanceFilter,
    performance_report,
    performance_sheet,
)

_STRATEGY = ("strategy_name", "strategy_version")
_SHOWN = (
    *(*_STRATEGY, "total_signals", "declined", "executed", "failed", "blocked"),
    *("cancelled", "pending", "executing", "success_rate"),
)
_FILLS = (
    *(*_STRATEGY, "trades", "shares_bought", "shares_sold", "value_bought_usd"),
    *("value_sold_usd", "net_worth_usd", "gain_usd"),
)
_HELD = (
    *("strategy_name", "symbol", "net_shares", "last_price", "priced_at", "price_from"),
    "net_worth_usd",
)


def performance(
    first: First = None,
    last: Last = None,
    strategy: OfStrategy = None,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """How each strategy's signals fared; and, apart from that, what the fills are worth at the last price known.

    A period counts the day in New York on which a signal was answered; without one, all of them.
    """
    start, end = period(first, last)
    with reader() as connection:
        report = performance_report(
            connection, PerformanceFilter(start=start, end=end, strategy=strategy)
        )
    show(report, form, output, printer=print_performance_report, sheet=performance_sheet)


def print_performance_report(report: dict[str, Any], console: Console) -> None:
    """Print how strategies fared as tables for people; times are New York's."""
    fared = [_two_decimals(row) for row in report["performance"]]
    print_section(console, "performance", fared, _SHOWN, whole=_STRATEGY[1:])
    console.print()
    print_sums(console, "totals", _two_decimals(report["totals"]))
    print_section(console, "fills", report["fills"], _FILLS, whole=_STRATEGY[1:])
    held = [
        {"strategy_name": fills["strategy_name"], **position}
        for fills in report["fills"]
        for position in fills["positions"]
    ]
    print_section(console, "held_of_the_fills", held, _HELD, whole=("symbol", "priced_at"))


def _two_decimals(row: dict[str, Any]) -> dict[str, Any]:
    rate = row["success_rate"]
    return row if rate is None else row | {"success_rate": f"{rate:.2f}"}
