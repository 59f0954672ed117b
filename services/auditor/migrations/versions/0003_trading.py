"""What was decided and done: decisions, executions, orders, risk checks, operator acts, alerts, dead letters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    INSTANT,
    INTEGER,
    JSONB,
    NUMERIC,
    TEXT,
    TOPIC,
    column,
    position,
    required,
)

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, parents first."""
    _trade_decisions()
    _declined_decisions()
    _decision_sources()
    _trade_executions()
    _trade_execution_history()
    _alpaca_orders()
    _risk_checks()
    _operations()
    _dead_letters()


def _decision_columns() -> list[sa.Column[Any]]:
    return [
        required("decision_id", TEXT, "UUIDv5 of trigger and strategy."),
        column("strategy_name", TEXT, "Strategy, or manual."),
        column("strategy_version", TEXT, "Version of its rules."),
        column("symbol", TEXT, "Symbol."),
        column("side", TEXT, "buy or sell."),
        column(
            "decision_rationale", JSONB, "Why: signals, sources, market, portfolio, lineage, rules."
        ),
        column("signal_strength", NUMERIC, "0 to 10."),
        column("confidence_score", NUMERIC, "0 to 1."),
        column("trigger_event", TEXT, "What set it off."),
        column("view_through", BIGINT, "It saw its partition through this offset, inclusive."),
        column("batch_id", TEXT, "Run whose data set it off."),
        column("configuration_hash", TEXT, "Configuration it was made under."),
        column("created_at", INSTANT, "When it was decided by the service's clock, UTC."),
    ]


def _trade_decisions() -> None:
    op.create_table(
        "trade_decisions",
        *_decision_columns(),
        column("quantity", NUMERIC, "Shares."),
        column("order_type", TEXT, "market or limit."),
        column("limit_price", NUMERIC, "USD a share."),
        column("time_in_force", TEXT, "day or gtc."),
        column("made_by", TEXT, "Person, for a manual order."),
        column("why", TEXT, "The person's reason."),
        column("status", TEXT, "pending, executing, executed, failed or cancelled."),
        column("retry_count", INTEGER, "Attempts after the first."),
        column("executed_at", INSTANT, "When it was executed, UTC."),
        column("failed_at", INSTANT, "When it failed, UTC."),
        column("cancelled_at", INSTANT, "When it was cancelled, UTC."),
        column("failure_reason", TEXT, "Why it failed, as a code."),
        column("failure_control", TEXT, "The pre-trade control that blocked it."),
        column("failure_message", TEXT, "The broker's or control's own words."),
        column("updated_at", INSTANT, "When the status was set, UTC."),
        column(
            "status_offset",
            BIGINT,
            "Offset of the event that set the status, in the decision's partition.",
        ),
        *position(),
        sa.PrimaryKeyConstraint("decision_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["data_ingestion_runs.run_id"]),
        sa.ForeignKeyConstraint(["configuration_hash"], ["configurations.configuration_hash"]),
        comment="Every decision to trade, recorded before anything was sent, and what became of it.",
    )
    op.create_index("trade_decisions_symbol", "trade_decisions", ["symbol", "created_at"])
    op.create_index("trade_decisions_status", "trade_decisions", ["status", "created_at"])
    op.create_index("trade_decisions_strategy", "trade_decisions", ["strategy_name", "created_at"])
    op.create_index(
        "trade_decisions_rationale",
        "trade_decisions",
        ["decision_rationale"],
        postgresql_using="gin",
        postgresql_ops={"decision_rationale": "jsonb_path_ops"},
    )


def _declined_decisions() -> None:
    op.create_table(
        "declined_decisions",
        *_decision_columns(),
        column("reason", TEXT, "Why no trade came of it, as a code."),
        column("reason_text", TEXT, "The same in a sentence, with the numbers."),
        *position(),
        sa.PrimaryKeyConstraint("decision_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["data_ingestion_runs.run_id"]),
        sa.ForeignKeyConstraint(["configuration_hash"], ["configurations.configuration_hash"]),
        comment="Every signal that no trade came of, and why.",
    )
    op.create_index("declined_decisions_symbol", "declined_decisions", ["symbol", "created_at"])
    op.create_index("declined_decisions_reason", "declined_decisions", ["reason", "created_at"])


def _decision_sources() -> None:
    op.create_table(
        "decision_sources",
        required("decision_id", TEXT, "The decision."),
        required("record_id", TEXT, "Record it used."),
        required("version", INTEGER, "Version it used."),
        column("run_id", TEXT, "Run that fetched that version."),
        column("person", TEXT, "Politician or insider."),
        column("direction", TEXT, "Direction of the disclosed trade."),
        column("transaction_date", DATE, "Day of the disclosed trade."),
        column("disclosed_on", DATE, "Day of its report."),
        column("record_topic", TOPIC, "Topic of the record's event."),
        column("record_partition", INTEGER, "Its partition."),
        column("record_offset", BIGINT, "Its offset."),
        column("record_event_id", TEXT, "Its event id."),
        *position(),
        sa.PrimaryKeyConstraint("decision_id", "record_id", "version"),
        sa.ForeignKeyConstraint(["decision_id"], ["trade_decisions.decision_id"]),
        sa.ForeignKeyConstraint(
            ["run_id", "record_id", "version"],
            [
                "data_ingestion_run_records.run_id",
                "data_ingestion_run_records.record_id",
                "data_ingestion_run_records.version",
            ],
        ),
        comment="Which record versions each decision used, and which run brought them: its exact lineage.",
    )
    op.create_index("decision_sources_record", "decision_sources", ["record_id", "version"])
    op.create_index("decision_sources_run", "decision_sources", ["run_id"])


def _trade_executions() -> None:
    op.create_table(
        "trade_executions",
        required("execution_id", TEXT, "UUIDv5 of decision and attempt."),
        column("trade_decision_id", TEXT, "The decision."),
        column("attempt_number", INTEGER, "From 1."),
        column("client_order_id", TEXT, "Our id at the broker."),
        column("account", TEXT, "Broker account."),
        column("symbol", TEXT, "Symbol."),
        column("side", TEXT, "buy or sell."),
        column("quantity", NUMERIC, "Shares ordered."),
        column("order_type", TEXT, "market or limit."),
        column("limit_price", NUMERIC, "USD a share."),
        column("time_in_force", TEXT, "day or gtc."),
        column(
            "api_request", JSONB, "What was about to be sent: endpoint, method, payload, timestamp."
        ),
        column("previous_execution_id", TEXT, "Execution it retries or replaces."),
        column("configuration_hash", TEXT, "Configuration of the controls."),
        column("submitted_at", INSTANT, "When it was about to be sent, UTC."),
        column("created_at", INSTANT, "When the intent was recorded by the service's clock, UTC."),
        column(
            "status",
            TEXT,
            "submitting, submitted, accepted, partially_filled, filled, rejected, …, unknown.",
        ),
        column("alpaca_order_id", TEXT, "The broker's id."),
        column("api_response", JSONB, "The broker's newest answer."),
        column("broker_status", TEXT, "The broker's own word."),
        column("error_message", TEXT, "The broker's own words on a failure."),
        column("error_details", TEXT, "Why it failed, as a code."),
        column("filled_quantity", NUMERIC, "Shares filled so far."),
        column("filled_avg_price", NUMERIC, "Average price so far, USD a share."),
        column("commission", NUMERIC, "Commission so far, USD."),
        column("rejected_at", INSTANT, "When it was rejected, UTC."),
        column(
            "status_at", INSTANT, "When the status was reached: the broker's time, else ours, UTC."
        ),
        column("updated_at", INSTANT, "When the status was recorded, UTC."),
        column("status_offset", BIGINT, "Offset of the event that set the status."),
        column(
            "filled_at", INSTANT, "When its last fill happened: the broker's time, else ours, UTC."
        ),
        column("fill_offset", BIGINT, "Offset of the event of its last fill."),
        *position(),
        sa.PrimaryKeyConstraint("execution_id"),
        sa.ForeignKeyConstraint(["trade_decision_id"], ["trade_decisions.decision_id"]),
        sa.ForeignKeyConstraint(["configuration_hash"], ["configurations.configuration_hash"]),
        comment="Every attempt to execute a decision: what was sent, what came back.",
    )
    op.create_index("trade_executions_decision", "trade_executions", ["trade_decision_id"])
    op.create_index("trade_executions_symbol", "trade_executions", ["symbol", "filled_at"])
    op.create_index("trade_executions_status", "trade_executions", ["status", "created_at"])
    op.create_index("trade_executions_order", "trade_executions", ["alpaca_order_id"])


def _trade_execution_history() -> None:
    op.create_table(
        "trade_execution_history",
        required("history_id", TEXT, "Id of the event that said so."),
        column("execution_id", TEXT, "The execution."),
        column("attempt_number", INTEGER, "From 1."),
        column("status", TEXT, "Status it reached."),
        column("decision_status", TEXT, "Status of its decision then."),
        column("source", TEXT, "What told us: post, stream, poll, lookup, …"),
        column("broker_status", TEXT, "The broker's own word."),
        column("broker_at", INSTANT, "The broker's time, UTC."),
        column("filled_quantity", NUMERIC, "Shares filled so far."),
        column("fill_quantity", NUMERIC, "Shares of this fill."),
        column("fill_price", NUMERIC, "Price of this fill, USD a share."),
        column("filled_avg_price", NUMERIC, "Average price so far, USD a share."),
        column("commission", NUMERIC, "Commission so far, USD."),
        column("failure_reason", TEXT, "Why it failed, as a code."),
        column("error_message", TEXT, "The broker's own words."),
        column("api_response", JSONB, "The answer as received."),
        column("api_call_id", TEXT, "The recorded call; see api_payloads."),
        column("occurred_at", INSTANT, "When it was recorded, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("history_id"),
        sa.ForeignKeyConstraint(["execution_id"], ["trade_executions.execution_id"]),
        comment="Every status an execution went through.",
    )
    op.create_index(
        "trade_execution_history_execution", "trade_execution_history", ["execution_id", "offset"]
    )


def _alpaca_orders() -> None:
    op.create_table(
        "alpaca_orders",
        required("alpaca_order_id", TEXT, "The broker's id of the order."),
        column("trade_decision_id", TEXT, "The decision; empty for an order the log did not make."),
        column("execution_id", TEXT, "The execution."),
        column("client_order_id", TEXT, "Our id at the broker."),
        column("account", TEXT, "Broker account."),
        column("symbol", TEXT, "Symbol."),
        column("status", TEXT, "Status of the order."),
        column("broker_status", TEXT, "The broker's own word."),
        column("filled_quantity", NUMERIC, "Shares filled so far."),
        column("filled_avg_price", NUMERIC, "Average price so far, USD a share."),
        column("updated_at", INSTANT, "When that was recorded, UTC."),
        column("status_offset", BIGINT, "Offset of the event that set the status."),
        column("discovered_side", TEXT, "Side, of an order found at the broker."),
        column("discovered_quantity", NUMERIC, "Shares ordered, of an order found at the broker."),
        column("discovered_status", TEXT, "The broker's word when it was found."),
        column("discovered_filled_quantity", NUMERIC, "Shares filled when it was found."),
        column("discovered_filled_avg_price", NUMERIC, "Average price when it was found, USD."),
        column("discovered_client_order_id", TEXT, "Its client's id."),
        column("discovered_symbol", TEXT, "Its symbol."),
        column("discovered_account", TEXT, "Its account."),
        column(
            "submitted_at",
            INSTANT,
            "The broker's time of submission, of an order found there, UTC.",
        ),
        column("discovered_at", INSTANT, "When it was found, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("alpaca_order_id"),
        sa.ForeignKeyConstraint(["trade_decision_id"], ["trade_decisions.decision_id"]),
        sa.ForeignKeyConstraint(["execution_id"], ["trade_executions.execution_id"]),
        comment="Orders at the broker, each with its decision; those found at the broker have discovered_at "
        "and carry the position of the event that found them.",
    )
    op.create_index("alpaca_orders_decision", "alpaca_orders", ["trade_decision_id"])


def _risk_checks() -> None:
    op.create_table(
        "risk_checks",
        required("check_event_id", TEXT, "Id of the event that recorded it."),
        required("check_number", INTEGER, "Order of the checks in it, from 0."),
        column("trade_decision_id", TEXT, "The decision."),
        column("attempt_number", INTEGER, "From 1."),
        column(
            "execution_id", TEXT, "The execution it let pass; empty when the order was blocked."
        ),
        column("control", TEXT, "Which control."),
        column("passed", BOOLEAN, "Whether the order may pass."),
        column("limit_value", NUMERIC, "The configured limit."),
        column("observed_value", NUMERIC, "What was observed."),
        column("unit", TEXT, "Unit of both."),
        column("explanation", TEXT, "The same in a sentence."),
        column("configuration_hash", TEXT, "Configuration of the controls."),
        column("checked_at", INSTANT, "When, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("check_event_id", "check_number"),
        sa.ForeignKeyConstraint(["trade_decision_id"], ["trade_decisions.decision_id"]),
        sa.ForeignKeyConstraint(["execution_id"], ["trade_executions.execution_id"]),
        sa.ForeignKeyConstraint(["configuration_hash"], ["configurations.configuration_hash"]),
        comment="Every pre-trade control, with limit and observed value.",
    )
    op.create_index("risk_checks_decision", "risk_checks", ["trade_decision_id"])


def _operations() -> None:
    op.create_table(
        "operator_acts",
        required("act_id", TEXT, "Id of the event that recorded it."),
        column("act", TEXT, "What: manual_order, cancel_order, halt, …"),
        column("operator", TEXT, "Who."),
        column("why", TEXT, "Why."),
        column("scope", TEXT, "What it concerns."),
        column("arguments", JSONB, "Its arguments."),
        column("symbol", TEXT, "Symbol."),
        column("decision_id", TEXT, "Decision it concerns."),
        column("execution_id", TEXT, "Execution it concerns."),
        column("idempotency_key", TEXT, "A repeated act with this key is the same act."),
        column("acted_at", INSTANT, "When, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("act_id"),
        comment="What operators did, and why.",
    )
    op.create_table(
        "alerts",
        required("alert_id", TEXT, "Id of the event that recorded it."),
        column("rule", TEXT, "Which rule."),
        column("severity", TEXT, "info, warning or critical."),
        column("subject", TEXT, "What it is about."),
        column("message", TEXT, "What happened and what to do next."),
        column("symbol", TEXT, "Symbol."),
        column("deliveries", JSONB, "Result per channel."),
        column("raised_at", INSTANT, "When, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("alert_id"),
        comment="Alerts raised and delivered.",
    )


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        required("source_topic", TOPIC, "Topic of the event that could not be processed."),
        required("source_partition", INTEGER, "Its partition."),
        required("source_offset", BIGINT, "Its offset; its bytes are in events."),
        column("source_key", BYTES, "Its key."),
        column(
            "reason_code",
            TEXT,
            "Why: no_body, not_avro, unknown_schema, broken_body, unknown_type, not_storable.",
        ),
        column("reason", TEXT, "The same in a sentence."),
        column("schema_id", INTEGER, "Schema id it claimed."),
        column("detected_offset", BIGINT, "The source offset, once the reason is known."),
        column("occurred_at", INSTANT, "When its dead letter was made, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("source_topic", "source_partition", "source_offset"),
        comment="Events that could not be processed. The position is that of the dead letter on its topic, "
        "empty until it has come back.",
    )
