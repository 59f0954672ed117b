"""``tradetrail report unresolved``: orders that are not in a definite state."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.listings import Asked, put_out
from tradetrail.cli.report.options import After, Every, Form, Limit, OfSymbol, Output
from tradetrail.cli.report.output import ReportFormat
from tradetrail.cli.report.tables import cell, print_line, print_section, print_sums
from tradetrail.reports.unresolved import UNRESOLVED, UnresolvedFilter

_TRIED = ("at", "source", "status", "broker_status", "endpoint", "status_code", "message")
_CONTRADICTED = (
    *("discovered_at", "symbol", "side", "quantity", "recorded_status", "broker_status"),
    *("broker_filled_quantity", "explanation", "alpaca_order_id"),
)


def unresolved(
    symbol: OfSymbol = None,
    account: Annotated[
        str | None, typer.Option("--account", help="only this broker account, such as paper")
    ] = None,
    limit: Limit = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """Every order that is not in a definite state: since when, what was tried, what the broker says.

    Oldest first, each with the command that settles it. Each holds its symbol: nothing else is sent for it meanwhile.
    Orders that the log has as over and the broker has otherwise are told apart.
    """
    chosen = UnresolvedFilter(symbol=symbol, account=account)
    put_out(UNRESOLVED, chosen, Asked(limit, after, every, form, output), print_unresolved_report)


def print_unresolved_report(report: dict[str, Any], console: Console) -> None:
    """Print unresolved orders as blocks for people; times are New York's."""
    if not report["unresolved"]:
        console.print("unresolved: none")
    for row in report["unresolved"]:
        for line in _head(row):
            print_line(console, line)
        print_section(console, "tried", row["tried"], _TRIED, whole=("at", "source"))
        print_line(console, f"settle it: {row['settle_command']}\n")
    if report["contradicted"]:
        print_section(console, "contradicted", report["contradicted"], _CONTRADICTED)
        console.print()
    held = ", ".join(report["totals"]["symbols_held"]) or "none"
    print_sums(console, "totals", report["totals"] | {"symbols_held": held})


def _head(row: dict[str, Any]) -> list[str]:
    ordered_by = f" ({row['made_by']})" if row["made_by"] else ""
    said = " ".join(filter(None, (row["broker_status"], row["error_message"])))
    since, newest = cell(row["unresolved_since"]), cell(row["newest_at"])
    lines = [f"{_what(row)}: {row['status']} since {since}"]
    lines.append(
        f"  account {cell(row['account'])}, {cell(row['strategy'])}{ordered_by}, "
        f"decision {cell(row['decision_id'])}, attempt {cell(row['attempt'])}"
    )
    lines.append(
        f"  answers {cell(row['answers'])}, newest by {cell(row['newest_source'])} at {newest}; "
        f"the broker says: {said or 'nothing yet'}"
    )
    ours, theirs = cell(row["client_order_id"]), cell(row["alpaca_order_id"])
    lines.append(f"  our id at the broker {ours}, the broker's {theirs}")
    lines.append(f"  holds {cell(row['symbol_held'])}: {row['decisions_waiting']} decisions wait")
    return lines


def _what(row: dict[str, Any]) -> str:
    return " ".join(cell(row[name]) for name in ("symbol", "side", "quantity"))
