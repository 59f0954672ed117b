"""``tradetrail report portfolio``: what is held, and what the broker last said of the account."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from tradetrail.cli.report.options import Form, Output, reader
from tradetrail.cli.report.output import ReportFormat, show
from tradetrail.cli.report.tables import cell, print_line, print_section, print_sums
from tradetrail.reports.portfolio import portfolio_report, portfolio_sheet

_POSITIONS = (
    *("symbol", "shares", "average_cost_usd", "cost_usd", "orders_filled", "last_fill_at"),
)
_ORDERS = (
    *("symbol", "side", "remaining_quantity", "limit_price", "status", "reserved_usd"),
    *("reserved_by", "submitted_at", "execution_id"),
)


def portfolio(form: Form = ReportFormat.TABLE, output: Output = None) -> None:
    """What is held: positions from our own fills, the account as the broker last told, and reserved buying power.

    Each number says where it is from. What the database lacks is named, never made up.
    """
    with reader() as connection:
        report = portfolio_report(connection)
    show(report, form, output, printer=print_portfolio_report, sheet=portfolio_sheet)


def print_portfolio_report(report: dict[str, Any], console: Console) -> None:
    """Print the portfolio as tables for people; times are New York's."""
    told = report["broker"]
    print_line(
        console,
        f"from the broker, as told {cell(told['told_at'])}: cash {cell(told['cash_usd'])} USD, "
        f"buying power {cell(told['buying_power_usd'])} USD, "
        f"portfolio value {cell(told['portfolio_value_usd'])} USD",
    )
    print_section(console, "positions_from_our_fills", report["positions"], _POSITIONS)
    print_section(console, "open_orders", report["open_orders"], _ORDERS)
    console.print()
    print_sums(console, "totals", report["totals"])
    for text in report["missing"]:
        print_line(console, f"missing: {text}")
