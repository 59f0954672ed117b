"""What became of decisions, in the order of its lists and with what its sums need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_ASKED_OF = ["symbol", "side", "strategy_name", "strategy_version"]


def upgrade() -> None:
    """Make the indexes. Each holds only rows that got that far; a status that changes touches an index anyway."""
    op.create_index(
        "trade_decisions_executed",
        "trade_decisions",
        ["executed_at", "decision_id"],
        postgresql_include=_ASKED_OF,
        postgresql_where=sa.text("status = 'executed'"),
    )
    op.create_index(
        "trade_decisions_failed",
        "trade_decisions",
        ["failed_at", "decision_id"],
        postgresql_include=[*_ASKED_OF, "failure_reason", "failure_control"],
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.create_index(
        "trade_decisions_made",
        "trade_decisions",
        ["created_at", "decision_id"],
        postgresql_include=["strategy_name", "strategy_version", "status", "failure_reason"],
    )
    op.create_index(
        "trade_executions_filled",
        "trade_executions",
        ["trade_decision_id"],
        postgresql_include=["symbol", "side", "filled_quantity", "filled_avg_price", "commission"],
        postgresql_where=sa.text("filled_quantity > 0"),
    )
    op.create_index(
        "trade_executions_partly_filled",
        "trade_executions",
        ["trade_decision_id"],
        postgresql_where=sa.text("filled_quantity > 0 AND status <> 'filled'"),
    )
