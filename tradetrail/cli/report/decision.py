"""``tradetrail report decision``: the full trail of one trade."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.options import Form, Output, reader
from tradetrail.cli.report.output import ReportFormat, show
from tradetrail.cli.report.tables import cell, print_section, print_sums
from tradetrail.reports.decision import decision_report, decision_sheet

# What the tables on a terminal show of each section; the other formats give everything.
_EXECUTIONS = (
    *("attempt", "submitted_at", "status", "broker_status", "quantity", "filled_quantity"),
    *("filled_avg_price", "error_code", "error_message", "alpaca_order_id", "execution_id"),
)
_CHECKS = ("attempt", "control", "passed", "observed", "limit", "unit", "explanation")
_RECORDS = (
    *("disclosed_on", "transaction_date", "person", "direction", "amount_usd_min"),
    *("amount_usd_max", "shares", "price_usd", "version", "appended_at", "record_id"),
)
_RUNS = (
    *("task_name", "status", "started_at", "completed_at", "records_fetched", "api_calls"),
    "ingestion_run_id",
)
_STEPS = ("step_number", "occurred_at", "after", "step", "explanation", "place")


def decision(
    decision_id: Annotated[
        str, typer.Argument(metavar="DECISION", help="id of a decision, made or declined")
    ],
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """The full trail of one trade: why it was decided, what was checked, sent and answered, and when.

    The records and runs it rests on, every pre-trade control with limit and observed value, each attempt with request
    and answer, and every step with the time since the step before.
    """
    with reader() as connection:
        report = decision_report(connection, decision_id)
    show(report, form, output, printer=print_decision_report, sheet=decision_sheet)


def print_decision_report(report: dict[str, Any], console: Console) -> None:
    """Print a decision's trail as tables for people; times are New York's."""
    told = report["decision"]
    for line in _head(told):
        console.print(line, markup=False, highlight=False)
    rules = (told["rationale"] or {}).get("rules") or []
    if rules:
        columns = ("rule", "passed", "value", "threshold", "explanation")
        print_section(console, "rules", [_named(rule, columns) for rule in rules], columns)
    print_section(console, "executions", report["executions"], _EXECUTIONS, whole=("execution_id",))
    print_section(console, "risk_checks", report["risk_checks"], _CHECKS, whole=("control",))
    print_section(console, "records", report["lineage"]["records"], _RECORDS)
    print_section(console, "runs", report["lineage"]["runs"], _RUNS)
    steps = [_step(row) for row in report["timeline"]]
    print_section(console, "timeline", steps, _STEPS, whole=("occurred_at", "step"))
    console.print()
    print_sums(console, "totals", report["totals"])


def _head(told: dict[str, Any]) -> list[str]:
    strategy = f"{cell(told['strategy'])} {cell(told['strategy_version'])}"
    what = [cell(told[name]) for name in ("side", "quantity") if told[name] is not None]
    lines = [" ".join([f"{cell(told['symbol'])}: {strategy},", told["outcome"], *what])]
    lines.append(
        f"decided {cell(told['created_at'])}, strength {cell(told['signal_strength'])}, "
        f"confidence {cell(told['confidence_score'])}, status {cell(told['status'])}"
    )
    if told["made_by"]:
        lines.append(f"ordered by {told['made_by']}: {told['why'] or '-'}")
    if told["reason"]:
        control = f" by {told['control']}" if told["control"] else ""
        lines.append(f"{told['reason']}{control}: {cell(told['reason_text'])}")
    return lines


def _named(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: row.get(name) for name in columns}


def _step(row: dict[str, Any]) -> dict[str, Any]:
    since = row["seconds_since_previous"]
    place = f"{row['topic']}/{row['partition']}/{row['offset']}"
    return row | {"after": None if since is None else f"{cell(since)} s", "place": place}
