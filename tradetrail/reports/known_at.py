"""What was known when a decision was taken: all that its view held, used or not, and nothing after ``view_through``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg

from tradetrail.errors import NotRecorded
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import check_name
from tradetrail.reports.queries import rows

Report = dict[str, Any]
_VIEW = (
    *("topic", "partition", "view_through", "trigger_id", "triggered_at", "trigger_appended_at"),
    *("lookback_days", "view_from", "reference_through"),
)
_ONLY_VIEW = frozenset(_VIEW[2:])
# The order in which the standings of records are counted and told.
STANDINGS = ("used", "seen", "superseded", "withdrawn", "outside_window")
# Sections that are lists of rows; each but one is a query of its own.
SECTIONS = {
    "records": "known_records",
    "missing_records": None,
    "earlier_answers": "known_answers",
    "orders": "known_orders",
    "operator_acts": "known_acts",
    "unreadable_events": "known_unreadable",
    "reference_facts": "known_facts",
    "ingestion_runs": "known_runs",
    "api_calls": "known_calls",
}
_POSITION = ("topic", "partition", "offset")
_IDENTITY = ("record_id", "version", *_POSITION)
COLUMNS = (
    *("section", *_POSITION, "appended_at", "recorded_at", "event_id"),
    *("standing", "used", "in_window", "record_id", "version", "kind", "person"),
    *("transaction_type", "direction", "transaction_date", "disclosed_on"),
    *("amount_usd_min", "amount_usd_max", "shares", "price_usd", "flags"),
    *("superseded_by_version", "withdrawn_at", "moved_to_symbol", "ingestion_run_id"),
    *("decision_id", "outcome", "strategy", "strategy_version", "side", "quantity"),
    *("signal_strength", "decided_at", "view_through", "attempt_number", "status"),
    *("filled_quantity", "filled_avg_price", "reason", "reason_text"),
    *("act", "operator", "why", "arguments", "subject", "value", "in_reach"),
    *("task_name", "data_source", "completed_at", "records_fetched"),
    *("records_known", "records_used", "api_call_id", "purpose", "vendor", "method"),
    *("endpoint", "query", "timestamp", "status_code", "error", "body_sha256"),
)


def known_at_report(connection: psycopg.Connection[Any], decision_id: str) -> Report:
    """Return all that a decision, made or declined, could see of its symbol.

    Held in memory whole: what was recorded of one symbol up to then, about 600 bytes a record version. Raises
    NotRecorded for an id that no decision has, UsageError for what can't be an id.
    """
    asked = {"decision_id": check_name("decision id", decision_id)}
    # One state of the database for all sections.
    with connection.transaction():
        found = rows(connection, "known_decision", asked)
        if not found:
            raise NotRecorded(
                f"no decision {decision_id!r} is recorded, made or declined; `tradetrail report symbol SYMBOL "
                "--format json` and `tradetrail report declined` list their ids"
            )
        decision = found[0]
        rationale, call_ids = decision.pop("rationale"), decision.pop("api_call_ids")
        # Answers from before they named all their calls name those of their contexts.
        arguments = decision | asked | {"call_ids": call_ids or _call_ids(rationale)}
        told = {
            section: rows(connection, query, arguments)
            for section, query in SECTIONS.items()
            if query
        }
    records = told["records"]
    told["missing_records"] = _missing(rationale, records)
    told["ingestion_runs"] = [_counted(run, records) for run in told["ingestion_runs"]]
    standings = Counter(record["standing"] for record in records)
    return {
        "decision": {k: v for k, v in decision.items() if k not in _ONLY_VIEW},
        "view": {name: decision[name] for name in _VIEW},
        "totals": {
            "records": len(records),
            **{name: standings[name] for name in STANDINGS},
            **{name: len(told[name]) for name in SECTIONS if name != "records"},
        },
        **{section: told[section] for section in SECTIONS},
        "market_context": rationale["market_context"],
        "portfolio_context": rationale["portfolio_context"],
    }


def known_at_sheet(report: Report) -> Sheet:
    """Return every section's rows one after the other, each with its section's name, in one set of columns."""
    return Sheet(COLUMNS, _flat(report))


def _flat(report: Report) -> Iterator[Report]:
    for section in SECTIONS:
        for row in report[section]:
            yield {"section": section, **row}


def _call_ids(rationale: Report) -> list[str]:
    contexts = (rationale["market_context"], rationale["portfolio_context"])
    return [call_id for context in contexts if context for call_id in context["api_call_ids"]]


def _missing(rationale: Report, records: list[Report]) -> list[Report]:
    """Return what the rationale names although it was not to be seen there: none, if all is well."""
    seen = {tuple(record[name] for name in _IDENTITY) for record in records if record["used"]}
    return [
        {name: source[name] for name in (*_IDENTITY, "person", "direction", "event_id")}
        | {"ingestion_run_id": source["run_id"]}
        for source in rationale["source_data"]["records"]
        if tuple(source[name] for name in _IDENTITY) not in seen
    ]


def _counted(run: Report, records: list[Report]) -> Report:
    of_run = [r for r in records if r["ingestion_run_id"] == run["ingestion_run_id"]]
    return run | {
        "records_known": len(of_run),
        "records_used": sum(record["used"] for record in of_run),
    }
