"""The full trail of one trade: decision, attempts, checks, what it rests on, and every step with its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from tradetrail.errors import NotRecorded
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import check_name
from tradetrail.reports.queries import rows

Report = dict[str, Any]
_DECISION = (
    *("decision_id", "outcome", "created_at", "strategy", "strategy_version", "symbol", "side"),
    *("quantity", "order_type", "limit_price", "time_in_force", "status", "retry_count"),
    *("executed_at", "failed_at", "cancelled_at", "reason", "control", "reason_text"),
    *("signal_strength", "confidence_score", "trigger_event", "trigger_id", "triggered_at"),
    *("view_through", "made_by", "why", "ingestion_run_id", "configuration_hash", "rationale"),
)
_EXECUTION = (
    *("attempt", "execution_id", "previous_execution_id", "account", "submitted_at", "status_at"),
    *("broker_status", "client_order_id", "alpaca_order_id", "filled_quantity"),
    *("filled_avg_price", "filled_at", "commission", "rejected_at", "error_code"),
    *("error_message", "api_request", "api_response"),
)
_CHECK = ("passed", "limit", "observed", "unit", "explanation", "checked_at", "api_call_ids")
_RECORD = (
    *("record_id", "version", "kind", "person", "direction", "transaction_type"),
    *("transaction_date", "disclosed_on", "amount_usd_min", "amount_usd_max", "shares"),
    *("price_usd", "flags", "api_call_id", "recorded_at"),
)
_RUN = (
    *("task_name", "data_source", "trigger", "requested_by", "started_at", "completed_at"),
    *("records_fetched", "records_created", "records_updated", "api_calls"),
)
_STEP = ("step_number", "step", "occurred_at", "seconds_since_previous", "details", "event_id")
COLUMNS = (
    "section",
    *_DECISION,
    *_EXECUTION,
    *_CHECK,
    *_RECORD,
    *_RUN,
    *_STEP,
    *("topic", "partition", "offset", "appended_at"),
)


def decision_report(connection: psycopg.Connection[Any], decision_id: str) -> Report:
    """Return all that is recorded about a decision, made or declined, and what became of it.

    Held in memory whole, a few KB for each attempt. Raises NotRecorded for an id that no decision has, UsageError for
    what can't be an id.
    """
    asked = {"decision_id": check_name("decision id", decision_id)}
    # One state of the database for all sections.
    with connection.transaction():
        found = rows(connection, "decision", asked)
        if not found:
            raise NotRecorded(
                f"no decision {decision_id!r} is recorded, made or declined; `tradetrail report symbol SYMBOL "
                "--format json` and `tradetrail report declined` list their ids"
            )
        executions = rows(connection, "decision_executions", asked)
        checks = rows(connection, "decision_checks", asked)
        records = rows(connection, "decision_records", asked)
        runs = rows(connection, "decision_runs", asked)
        timeline = rows(connection, "decision_timeline", asked)
    return {
        "decision": found[0],
        "totals": {
            "executions": len(executions),
            "risk_checks": len(checks),
            "risk_checks_failed": sum(not check["passed"] for check in checks),
            "records": len(records),
            "runs": len(runs),
            "timeline": len(timeline),
        },
        "executions": executions,
        "risk_checks": checks,
        "lineage": {"records": records, "runs": runs},
        "timeline": timeline,
    }


def decision_sheet(report: Report) -> Sheet:
    """Return the decision and then every section's rows, each with its section's name, in one set of columns."""
    return Sheet(COLUMNS, _flat(report))


def _flat(report: Report) -> Iterator[Report]:
    yield {"section": "decision", **report["decision"]}
    for section in ("executions", "risk_checks"):
        for row in report[section]:
            yield {"section": section, **row}
    for section, found in report["lineage"].items():
        for row in found:
            yield {"section": section, **row}
    for row in report["timeline"]:
        yield {"section": "timeline", **row}
