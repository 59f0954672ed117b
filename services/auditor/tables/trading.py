"""Decisions, executions, orders and the checks before them."""

from __future__ import annotations

from services.auditor.rows import PLACE, POSITION, Group, Reference, Table
from services.auditor.tables.links import CONFIGURATION, DECISION_OF, EXECUTION_OF, fact

_DECIDED = (
    *("strategy_name", "strategy_version", "symbol", "side", "decision_rationale"),
    *("signal_strength", "confidence_score", "trigger_event", "view_through", "batch_id"),
    *("configuration_hash", "created_at", "reference_through", "api_call_ids"),
)
_BATCH = Reference(("batch_id",), "data_ingestion_runs")
DECISION = fact(
    *_DECIDED,
    *("quantity", "order_type", "limit_price", "time_in_force", "made_by", "why"),
)
DECISION_STATUS = Group(
    ("status_offset",),
    (
        *("status", "retry_count", "executed_at", "failed_at", "cancelled_at"),
        *("failure_reason", "failure_control", "failure_message", "updated_at", "status_offset"),
    ),
    keep="last",
)
TRADE_DECISIONS = Table(
    "trade_decisions", ("decision_id",), (DECISION, DECISION_STATUS), (_BATCH, CONFIGURATION)
)
DECLINED_DECISIONS = Table(
    "declined_decisions",
    ("decision_id",),
    (fact(*_DECIDED, "reason", "reason_text"),),
    (_BATCH, CONFIGURATION),
)
DECISION_SOURCES = Table(
    "decision_sources",
    ("decision_id", "record_id", "version"),
    (
        fact(
            *("run_id", "person", "direction", "transaction_date", "disclosed_on"),
            *("record_topic", "record_partition", "record_offset", "record_event_id"),
        ),
    ),
    (
        Reference(("decision_id",), "trade_decisions"),
        Reference(("run_id", "record_id", "version"), "data_ingestion_run_records"),
    ),
)

EXECUTION = fact(
    *("trade_decision_id", "attempt_number", "client_order_id", "account", "symbol", "side"),
    *("quantity", "order_type", "limit_price", "time_in_force", "api_request"),
    *("previous_execution_id", "configuration_hash", "submitted_at", "created_at"),
)
EXECUTION_STATUS = Group(
    ("status_offset",),
    (
        *("status", "alpaca_order_id", "api_response", "broker_status", "error_message"),
        *("error_details", "filled_quantity", "filled_avg_price", "commission", "rejected_at"),
        *("status_at", "updated_at", "status_offset"),
    ),
    keep="last",
    sticky=frozenset({"alpaca_order_id", "api_response", "filled_avg_price", "commission"}),
)
EXECUTION_FILL = Group(("fill_offset",), ("filled_at", "fill_offset"), keep="last")
TRADE_EXECUTIONS = Table(
    "trade_executions",
    ("execution_id",),
    (EXECUTION, EXECUTION_STATUS, EXECUTION_FILL),
    (DECISION_OF, CONFIGURATION),
)
TRADE_EXECUTION_HISTORY = Table(
    "trade_execution_history",
    ("history_id",),
    (
        fact(
            *("execution_id", "attempt_number", "status", "decision_status", "source"),
            *("broker_status", "broker_at", "filled_quantity", "fill_quantity", "fill_price"),
            *("filled_avg_price", "commission", "failure_reason", "error_message"),
            *("api_response", "api_call_id", "occurred_at"),
        ),
    ),
    (EXECUTION_OF,),
)
ORDER_STATUS = Group(
    ("status_offset",),
    (
        *("trade_decision_id", "execution_id", "client_order_id", "account", "symbol", "status"),
        *("broker_status", "filled_quantity", "filled_avg_price", "updated_at", "status_offset"),
    ),
    keep="last",
    sticky=frozenset({"filled_avg_price"}),
)
# An order is discovered again with each state that matters.
ORDER_FOUND = Group(
    PLACE,
    (
        *("discovered_side", "discovered_quantity", "discovered_status"),
        *("discovered_filled_quantity", "discovered_filled_avg_price"),
        *("discovered_client_order_id", "discovered_symbol", "discovered_account"),
        *("submitted_at", "discovered_at", "discovered_decision_id", "discovered_execution_id"),
        *("discovered_explanation", *POSITION),
    ),
    keep="last",
)
ALPACA_ORDERS = Table(
    "alpaca_orders",
    ("alpaca_order_id",),
    (ORDER_STATUS, ORDER_FOUND),
    (DECISION_OF, EXECUTION_OF),
)
RISK_CHECKS = Table(
    "risk_checks",
    ("check_event_id", "check_number"),
    (
        fact(
            *("trade_decision_id", "attempt_number", "execution_id", "control", "passed"),
            *("limit_value", "observed_value", "unit", "explanation", "configuration_hash"),
            *("checked_at", "api_call_ids"),
        ),
    ),
    (DECISION_OF, EXECUTION_OF, CONFIGURATION),
)
