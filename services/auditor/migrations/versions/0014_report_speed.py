"""What the reports on a symbol and the long listings read, without a look at the rows themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_WHEN_FILLED = "coalesce(filled_at, status_at)"
# An index that is made anew keeps its name: it has the same columns in the same order, and carries more.
_WIDENED = (
    ("trade_decisions", "symbol", ["symbol", "created_at"], ["status"]),
    ("declined_decisions", "symbol", ["symbol", "created_at"], ["reason", "strategy_name"]),
    (
        "declined_decisions",
        "listed",
        ["created_at", "decision_id"],
        ["symbol", "reason", "strategy_name", "strategy_version"],
    ),
    *(
        (table, name, ["symbol", day], ["record_id", "version"])
        for table in ("congress_trades", "insider_trades")
        for name, day in (("disclosed", "disclosed_on"), ("traded", "transaction_date"))
    ),
)
# As in 0001, but the second look is one that sees what another session has committed meanwhile: the name that the first
# look did not find stays unfound for the rest of the statement.
ENSURE_MONTH = """
CREATE OR REPLACE FUNCTION ensure_events_month(wanted date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    own oid;
    home name;
    first_day date := date_trunc('month', wanted)::date;
    child name := 'events_' || to_char(first_day, 'YYYY_MM');
BEGIN
    GET DIAGNOSTICS own = PG_ROUTINE_OID;
    SELECT n.nspname INTO home FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = own;
    IF to_regclass(format('%I.%I', home, child)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(home || '.' || child, 0));
    IF EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = home AND c.relname = child
    ) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I.%I (LIKE %I.events INCLUDING DEFAULTS INCLUDING COMMENTS)', home, child, home);
    EXECUTE format('COMMENT ON TABLE %I.%I IS %L', home, child,
        'Events that Kafka appended in ' || to_char(first_day, 'YYYY-MM') || ' (UTC).');
    EXECUTE format('ALTER TABLE %I.events ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
        home, home, child, first_day, (first_day + interval '1 month')::date);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I.%I '
        'FOR EACH STATEMENT EXECUTE FUNCTION %I.refuse_change()', home, child, home);
END $body$
"""


def upgrade() -> None:
    """Widen indexes, and add what no index told."""
    for table, name, columns, carried in _WIDENED:
        op.drop_index(f"{table}_{name}", table)
        op.create_index(f"{table}_{name}", table, columns, postgresql_include=carried)
    op.create_index(
        "trade_executions_traded",
        "trade_executions",
        ["symbol", sa.text(_WHEN_FILLED), "trade_decision_id", "attempt_number"],
        postgresql_include=[
            *("side", "filled_quantity", "filled_avg_price", "status"),
            # Named once more: an expression alone does not spare the look at the row.
            *("filled_at", "status_at"),
        ],
        postgresql_where=sa.text("filled_quantity > 0"),
    )
    for table in ("congress_trades", "insider_trades"):
        # Few records change. Whether one has a later version is asked of every row.
        op.create_index(
            f"{table}_changed",
            table,
            ["record_id", "version"],
            postgresql_include=["symbol"],
            postgresql_where=sa.text("version > 1"),
        )
    # By when, and no longer by decision: those of a period are asked for.
    op.drop_index("trade_executions_partly_filled", "trade_executions")
    op.create_index(
        "trade_executions_partly_filled",
        "trade_executions",
        [sa.text(_WHEN_FILLED), "trade_decision_id", "execution_id"],
        postgresql_include=["filled_at", "status_at"],
        postgresql_where=sa.text("filled_quantity > 0 AND status <> 'filled'"),
    )
    # Which trigger or act an answer belongs to, and which controls refused: asked by place, and of few rows.
    op.create_index(
        "symbol_data_ready_place", "symbol_data_ready", ["topic", "partition", "offset"]
    )
    op.create_index(
        "risk_checks_refused",
        "risk_checks",
        ["trade_decision_id"],
        postgresql_where=sa.text("execution_id IS NULL AND NOT passed"),
    )
    op.execute(ENSURE_MONTH)
