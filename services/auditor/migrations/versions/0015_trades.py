"""What executed, added up once by the database itself: one row a trade, for lists and sums of any length."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from sqlalchemy import PrimaryKeyConstraint

from services.auditor.migrations.parts import INSTANT, NUMERIC, TEXT, TEXTS, column, required

revision = "0015"
down_revision = "0014"

_SQL = Path(__file__).parents[1] / "trades"
# The table before what fills it; the triggers before the rows that are there already, so that none is missed between.
_STEPS = (
    "computed",
    "refresh",
    "executions_changed",
    "decisions_changed",
    "fill",
    "executed_trades",
)
# What only the list of executed trades read, before this table.
_NO_LONGER_READ = (
    ("trade_decisions_executed", "trade_decisions"),
    ("trade_executions_partly_filled", "trade_executions"),
)


def upgrade() -> None:
    """Make the table, have it follow decisions and executions, and let executed_trades read it."""
    op.create_table(
        "trades",
        required("decision_id", TEXT, "The decision."),
        column("symbol", TEXT, "Symbol."),
        column("side", TEXT, "buy or sell."),
        column("strategy_name", TEXT, "Strategy, or manual."),
        column("strategy_version", TEXT, "Version of its rules."),
        column("created_at", INSTANT, "When it was decided by the service's clock, UTC."),
        column(
            "executed_at",
            INSTANT,
            "When it was executed, or its last part filled: the broker's time, else ours, UTC.",
        ),
        column("submitted_at", INSTANT, "When its first filled order was about to be sent, UTC."),
        column("filled_quantity", NUMERIC, "Shares filled, all its orders together."),
        column("filled_value_usd", NUMERIC, "Their value, USD, without commission."),
        column("commission", NUMERIC, "Commission, USD; empty when the broker named none."),
        column("execution_ids", TEXTS, "Its executions that filled something, by attempt."),
        column("alpaca_order_ids", TEXTS, "The broker's ids of those."),
        PrimaryKeyConstraint("decision_id"),
        comment="Every decision that bought or sold something, with what its fills add up to. Derived: triggers keep "
        "it equal to trades_computed, nobody else writes it.",
    )
    for name in _STEPS:
        for statement in (_SQL / f"{name}.sql").read_text(encoding="utf-8").split(";\n\n"):
            op.execute(statement)
    sums = ["symbol", "side", "strategy_name", "filled_quantity", "filled_value_usd", "commission"]
    for name, by, carried in (
        ("trades_executed", ["executed_at", "decision_id"], sums),
        ("trades_decided", ["created_at"], [*sums, "strategy_version"]),
    ):
        op.create_index(name, "trades", by, postgresql_include=carried)
    op.create_index("trades_symbol", "trades", ["symbol", "executed_at", "decision_id"])
    for index, table in _NO_LONGER_READ:
        op.drop_index(index, table)
