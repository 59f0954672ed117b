"""The typed tables as the writer sees them: keys, column groups, parents. A test holds them against the database."""

from __future__ import annotations

from services.auditor.rows import PLACE, POSITION, Group, Reference, Table


def _fact(*columns: str) -> Group:
    """Return the group of columns that the first event about a row writes."""
    return Group(PLACE, (*columns, *POSITION))


_RUN = Reference(("run_id",), "data_ingestion_runs")
_CONFIGURATION = Reference(("configuration_hash",), "configurations")
_DECISION = Reference(("trade_decision_id",), "trade_decisions")
_EXECUTION = Reference(("execution_id",), "trade_executions")

CONFIGURATIONS = Table(
    "configurations", ("configuration_hash",), (_fact("scope", "configuration", "recorded_at"),)
)

RUN_START = _fact(
    "task_name", "data_source", "started_at", "trigger", "requested_by", "configuration_hash"
)
RUN_STATUS = Group(
    ("status_offset",),
    (
        *("status", "completed_at", "failed_at", "data_date_start", "data_date_end"),
        *("records_fetched", "records_created", "records_updated", "records_skipped"),
        *("records_flagged", "flags", "error_code", "error_message", "error_details"),
        *("findings", "status_offset"),
    ),
    keep="last",
    sticky=frozenset({"data_date_start", "data_date_end"}),
)
DATA_INGESTION_RUNS = Table(
    "data_ingestion_runs", ("run_id",), (RUN_START, RUN_STATUS), (_CONFIGURATION,)
)

POLITICIAN_PROFILES = Table(
    "politician_profiles",
    ("politician_id",),
    (Group(PLACE, ("name", "party", "state", "chamber", *POSITION), keep="last"),),
)

DATA_INGESTION_RUN_RECORDS = Table(
    "data_ingestion_run_records",
    ("run_id", "record_id", "version"),
    (_fact("record_type", "operation", "symbol", "api_call_id", "row_number"),),
    (_RUN,),
)

_DISCLOSURE = (
    *("symbol", "change", "changed_fields", "content_hash", "run_id", "api_call_id", "row_number"),
    *("ticker_text", "transaction_type", "direction", "transaction_date", "disclosed_on"),
    *("flags", "source_fields", "recorded_at"),
)
CONGRESS_TRADES = Table(
    "congress_trades",
    ("record_id", "version"),
    (
        _fact(
            *_DISCLOSURE,
            *("politician_id", "politician_name", "chamber", "party", "district", "asset_type"),
            *("description", "amount_text", "amount_usd_min", "amount_usd_max"),
        ),
    ),
    (_RUN, Reference(("politician_id",), "politician_profiles")),
)
INSIDER_TRADES = Table(
    "insider_trades",
    ("record_id", "version"),
    (
        _fact(
            *_DISCLOSURE,
            *("insider_name", "officer_title", "is_director", "is_officer"),
            *("is_ten_percent_owner", "acquired_disposed_code", "shares", "price_usd"),
            *("shares_owned_following", "ownership"),
        ),
    ),
    (_RUN,),
)

DISCLOSURE_WITHDRAWALS = Table(
    "disclosure_withdrawals",
    ("record_id", "version"),
    (_fact("symbol", "moved_to_symbol", "reason", "run_id", "api_call_id", "withdrawn_at"),),
    (_RUN,),
)

SYMBOL_DATA_READY = Table(
    "symbol_data_ready", ("trigger_id",), (_fact("symbol", "run_id", "ready_at"),), (_RUN,)
)

API_PAYLOADS = Table(
    "api_payloads",
    ("call_id", "chunk_index"),
    (
        _fact(
            *("chunk_count", "purpose", "run_id", "decision_id", "execution_id", "symbol"),
            *("vendor", "method", "endpoint", "request", "requested_at", "status_code", "error"),
            *("request_size_bytes", "response_size_bytes", "records_returned"),
            *("rate_limit_remaining", "duration_us", "vendor_request_id"),
            *("body_encoding", "body_sha256", "body_redactions"),
        ),
    ),
    (_RUN,),
)
COMMITTEE_MEMBERSHIPS = Table(
    "committee_memberships",
    ("membership_id",),
    (
        _fact(
            *("politician_id", "committee_id", "committee_name", "role", "side", "rank_in_party"),
            *("valid_from", "change", "run_id", "api_call_id"),
        ),
    ),
    (_RUN, Reference(("politician_id",), "politician_profiles")),
)
SECTORS = Table(
    "sectors",
    ("sector_fact_id",),
    (
        _fact(
            *("symbol", "company_name", "sector", "industry", "valid_from"),
            *("run_id", "api_call_id"),
        ),
    ),
    (_RUN,),
)

_DECIDED = (
    *("strategy_name", "strategy_version", "symbol", "side", "decision_rationale"),
    *("signal_strength", "confidence_score", "trigger_event", "view_through", "batch_id"),
    *("configuration_hash", "created_at", "reference_through", "api_call_ids"),
)
_BATCH = Reference(("batch_id",), "data_ingestion_runs")
DECISION = _fact(
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
    "trade_decisions", ("decision_id",), (DECISION, DECISION_STATUS), (_BATCH, _CONFIGURATION)
)
DECLINED_DECISIONS = Table(
    "declined_decisions",
    ("decision_id",),
    (_fact(*_DECIDED, "reason", "reason_text"),),
    (_BATCH, _CONFIGURATION),
)
DECISION_SOURCES = Table(
    "decision_sources",
    ("decision_id", "record_id", "version"),
    (
        _fact(
            *("run_id", "person", "direction", "transaction_date", "disclosed_on"),
            *("record_topic", "record_partition", "record_offset", "record_event_id"),
        ),
    ),
    (
        Reference(("decision_id",), "trade_decisions"),
        Reference(("run_id", "record_id", "version"), "data_ingestion_run_records"),
    ),
)

EXECUTION = _fact(
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
    (_DECISION, _CONFIGURATION),
)
TRADE_EXECUTION_HISTORY = Table(
    "trade_execution_history",
    ("history_id",),
    (
        _fact(
            *("execution_id", "attempt_number", "status", "decision_status", "source"),
            *("broker_status", "broker_at", "filled_quantity", "fill_quantity", "fill_price"),
            *("filled_avg_price", "commission", "failure_reason", "error_message"),
            *("api_response", "api_call_id", "occurred_at"),
        ),
    ),
    (_EXECUTION,),
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
    (_DECISION, _EXECUTION),
)
RISK_CHECKS = Table(
    "risk_checks",
    ("check_event_id", "check_number"),
    (
        _fact(
            *("trade_decision_id", "attempt_number", "execution_id", "control", "passed"),
            *("limit_value", "observed_value", "unit", "explanation", "configuration_hash"),
            *("checked_at", "api_call_ids"),
        ),
    ),
    (_DECISION, _EXECUTION, _CONFIGURATION),
)
OPERATOR_ACTS = Table(
    "operator_acts",
    ("act_id",),
    (
        _fact(
            *("act", "operator", "why", "scope", "arguments", "symbol", "decision_id"),
            *("execution_id", "idempotency_key", "acted_at"),
        ),
    ),
)
OPERATOR_ANSWERS = Table(
    "operator_answers",
    ("answer_id",),
    (
        _fact(
            *("act_id", "act", "account", "member_id", "is_active", "outcome", "explanation"),
            *("details", "symbol", "decision_id", "execution_id", "decision_status"),
            "answered_at",
        ),
    ),
    (Reference(("act_id",), "operator_acts"),),
)
ALERTS = Table(
    "alerts",
    ("alert_id",),
    (_fact("rule", "severity", "subject", "message", "symbol", "deliveries", "raised_at"),),
)
DEAD_LETTER_FOUND = Group(
    ("detected_offset",),
    ("source_key", "reason_code", "reason", "schema_id", "detected_offset"),
)
DEAD_LETTER_SENT = _fact("occurred_at")
DEAD_LETTER_REQUEUED = Group(
    ("requeued_topic", "requeued_partition", "requeued_offset"),
    (
        *("requeued_at", "requeued_by", "requeued_why"),
        *("requeued_topic", "requeued_partition", "requeued_offset"),
    ),
)
DEAD_LETTERS = Table(
    "dead_letters",
    ("source_topic", "source_partition", "source_offset"),
    (DEAD_LETTER_FOUND, DEAD_LETTER_SENT, DEAD_LETTER_REQUEUED),
)

# Parents before children: the order in which rows are written and stubs are looked for (backwards).
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CONFIGURATIONS,
        DATA_INGESTION_RUNS,
        POLITICIAN_PROFILES,
        DATA_INGESTION_RUN_RECORDS,
        CONGRESS_TRADES,
        INSIDER_TRADES,
        DISCLOSURE_WITHDRAWALS,
        SYMBOL_DATA_READY,
        API_PAYLOADS,
        COMMITTEE_MEMBERSHIPS,
        SECTORS,
        TRADE_DECISIONS,
        DECLINED_DECISIONS,
        DECISION_SOURCES,
        TRADE_EXECUTIONS,
        TRADE_EXECUTION_HISTORY,
        ALPACA_ORDERS,
        RISK_CHECKS,
        OPERATOR_ACTS,
        OPERATOR_ANSWERS,
        ALERTS,
        DEAD_LETTERS,
    )
}

# One event writes all of a row, and another one about the same key is a rare repetition: these are copied straight in.
FACTS = frozenset(
    table.name
    for table in (
        DATA_INGESTION_RUN_RECORDS,
        CONGRESS_TRADES,
        INSIDER_TRADES,
        DISCLOSURE_WITHDRAWALS,
        SYMBOL_DATA_READY,
        API_PAYLOADS,
        COMMITTEE_MEMBERSHIPS,
        SECTORS,
        DECLINED_DECISIONS,
        DECISION_SOURCES,
        TRADE_EXECUTION_HISTORY,
        RISK_CHECKS,
    )
)
