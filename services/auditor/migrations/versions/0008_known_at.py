"""What a decision could see, and why there was none: triggers as rows, how far reference facts were read, views."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import INSTANT, JSONB, TEXT, column, position, required

revision = "0008"
down_revision = "0007"

VIEWS = Path(__file__).parents[1] / "views"

# Triggers that were audited before this table was there. Their story is their run.
KNOWN_RUNS = """
INSERT INTO data_ingestion_runs (run_id)
SELECT DISTINCT story_id FROM events WHERE type = 'SymbolDataReady' AND story_id IS NOT NULL
ON CONFLICT DO NOTHING
"""
KNOWN_TRIGGERS = """
INSERT INTO symbol_data_ready
    (trigger_id, symbol, run_id, ready_at, event_id, topic, partition, "offset", available_at)
SELECT DISTINCT ON (event_id)
    event_id::text, symbol, story_id, occurred_at, event_id::text, topic, partition, "offset", available_at
FROM events
WHERE type = 'SymbolDataReady'
ORDER BY event_id, topic, partition, "offset"
"""


def upgrade() -> None:
    """Make the table and fill it from the events there are, add the columns, then make the views over both."""
    op.create_table(
        "symbol_data_ready",
        required("trigger_id", TEXT, "Id of the event; decisions are taken on it."),
        column("symbol", TEXT, "Symbol."),
        column("run_id", TEXT, "Run that delivered something new about it."),
        column("ready_at", INSTANT, "When the run was delivered by the ingestor's clock, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("trigger_id"),
        sa.ForeignKeyConstraint(["run_id"], ["data_ingestion_runs.run_id"]),
        comment="Every time a run had delivered something new about a symbol: what makes the decider look.",
    )
    op.create_index("symbol_data_ready_symbol", "symbol_data_ready", ["symbol", "ready_at"])
    op.create_index("symbol_data_ready_run", "symbol_data_ready", ["run_id"])
    op.execute(KNOWN_RUNS)
    op.execute(KNOWN_TRIGGERS)
    for table in ("trade_decisions", "declined_decisions"):
        op.add_column(
            table,
            sa.Column(
                "reference_through",
                JSONB,
                server_default=sa.text("'[]'::jsonb"),
                comment="How far the reference topic was seen: a list of {topic, partition, offset}, inclusive; "
                "empty when none was read.",
            ),
        )
        op.add_column(
            table,
            sa.Column(
                "api_call_ids",
                JSONB,
                server_default=sa.text("'[]'::jsonb"),
                comment="Every recorded call that was made for it, also those that failed: a list of call ids.",
            ),
        )
    op.create_index(
        "declined_decisions_listed", "declined_decisions", ["created_at", "decision_id"]
    )
    op.create_index(
        "declined_decisions_strategy", "declined_decisions", ["strategy_name", "created_at"]
    )
    op.create_index("operator_acts_place", "operator_acts", ["topic", "partition", "offset"])
    op.create_index(
        "alpaca_orders_discovered",
        "alpaca_orders",
        ["discovered_symbol"],
        postgresql_where=sa.text("discovered_at IS NOT NULL"),
    )
    for name in ("decider_answers", "known_at_decision", "declined_decisions_explained"):
        for statement in (VIEWS / f"{name}.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                op.execute(statement)
