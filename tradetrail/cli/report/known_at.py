"""``tradetrail report known-at``: what was known when a decision was taken."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.listings import Asked, every_row
from tradetrail.cli.report.options import After, Every, Form, LimitOfEach, Output, reader
from tradetrail.cli.report.output import ReportFormat, show_lists
from tradetrail.cli.report.tables import cell, print_section, print_sums
from tradetrail.reports.known_at import known_at_export, known_at_report, known_at_sheet
from tradetrail.reports.paging import LIMIT_MAX

# What the tables on a terminal show of each section; the other formats give everything.
_SHOWN = {
    "records": (
        *("offset", "standing", "disclosed_on", "transaction_date", "person", "direction"),
        *("amount_usd_min", "amount_usd_max", "shares", "price_usd", "version", "appended_at"),
    ),
    "missing_records": ("topic", "partition", "offset", "record_id", "version", "person"),
    "earlier_answers": (
        *("view_through", "decided_at", "strategy", "outcome", "side", "quantity", "status"),
        *("reason", "decision_id"),
    ),
    "orders": (
        *("offset", "recorded_at", "side", "quantity", "status", "filled_quantity"),
        *("filled_avg_price", "reason", "decision_id"),
    ),
    "operator_acts": ("offset", "recorded_at", "act", "operator", "why"),
    "unreadable_events": ("offset", "reason", "reason_text"),
    "reference_facts": ("kind", "subject", "value", "topic", "partition", "offset", "appended_at"),
    "ingestion_runs": (
        *("task_name", "completed_at", "records_fetched", "records_known", "records_used"),
        "ingestion_run_id",
    ),
    "api_calls": ("timestamp", "purpose", "endpoint", "status_code", "error"),
}
# Sections that are told even when they are empty.
_ALWAYS = frozenset({"records", "earlier_answers", "orders", "reference_facts", "ingestion_runs"})
_CONTEXTS = ("market_context", "portfolio_context")


def known_at(
    decision: Annotated[
        str, typer.Argument(metavar="DECISION", help="id of a decision, made or declined")
    ],
    limit: LimitOfEach = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """What was known when a decision was taken, used or not, and nothing after it.

    Every version of a disclosure of its symbol that stands in the log at or before the offset the decision saw, with
    when Kafka appended it; earlier answers and orders; the reference facts, runs, market and portfolio it recorded.
    Each list has --limit rows; the totals count all.
    """
    if every:
        asked = Asked(limit, after, every, form, output)
        every_row("known-at", lambda connection: known_at_export(connection, decision), asked)
        return
    with reader() as connection:
        report = known_at_report(connection, decision, limit=limit or LIMIT_MAX, after=after)
    show_lists(report, form, output, printer=print_known_at_report, sheet=known_at_sheet)


def print_known_at_report(report: dict[str, Any], console: Console) -> None:
    """Print what was known as tables for people; times are New York's."""
    for line in _head(report["decision"], report["view"]):
        console.print(line, markup=False, highlight=False)
    for section, columns in _SHOWN.items():
        if report["totals"][section] or section in _ALWAYS:
            total = report["totals"][section]
            print_section(
                console, section, report[section], columns, whole=("standing",), total=total
            )
    console.print()
    for name in _CONTEXTS:
        title = name.replace("_", " ")
        if report[name]:
            shown = {key: said for key, said in report[name].items() if key != "api_call_ids"}
            print_sums(console, title, shown)
        else:
            console.print(f"{title}: not asked for")
    print_sums(console, "totals", report["totals"])


def _head(decision: dict[str, Any], view: dict[str, Any]) -> list[str]:
    """Return who decided what, and the bounds of what was seen."""
    what = [cell(decision[name]) for name in ("side", "quantity") if decision[name] is not None]
    strategy = f"{decision['strategy']} {decision['strategy_version']}"
    lines = [" ".join([f"{decision['symbol']}: {strategy},", decision["outcome"], *what])]
    if decision["made_by"]:
        lines.append(f"ordered by {decision['made_by']}: {decision['why'] or '-'}")
    if decision["reason"]:
        lines.append(f"{decision['reason']}: {decision['reason_text']}")
    lines.append(
        f"decided {cell(decision['decided_at'])}, strength {cell(decision['signal_strength'])}, "
        f"confidence {cell(decision['confidence_score'])}"
    )
    back = f"back to {cell(view['view_from'])}" if view["view_from"] else "from its beginning"
    lines.append(
        f"saw {view['topic']}/{view['partition']} through offset {view['view_through']}, {back}"
    )
    for place in view["reference_through"]:
        lines.append(f"read {place['topic']}/{place['partition']} through {place['offset']}")
    return lines
