"""Views for people who bring their own SQL, months made ahead, and what became of a dead letter."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import BIGINT, INSTANT, INTEGER, TEXT, TOPIC, column

revision = "0010"
down_revision = "0009"

_VIEWS = Path(__file__).parents[1] / "views"
_NAMES = (
    *("executed_trades", "failed_trades", "failure_reasons", "strategy_performance"),
    *("symbol_activity", "decision_audit_trail", "decision_status_history"),
    *("open_orders", "unresolved_orders", "run_health"),
)

# Finds its own schema as ensure_events_month does. Kafka's append time is real time, so is the database's clock.
ENSURE_AHEAD = """
CREATE FUNCTION ensure_events_months_ahead(months integer DEFAULT 2) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    own oid;
    home name;
    this_month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
BEGIN
    GET DIAGNOSTICS own = PG_ROUTINE_OID;
    SELECT n.nspname INTO home FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = own;
    FOR ahead IN 0 .. least(greatest(months, 0), 24) LOOP
        EXECUTE format('SELECT %I.ensure_events_month(%L)', home,
            (this_month + make_interval(months => ahead))::date);
    END LOOP;
END $body$
"""


def upgrade() -> None:
    """Add columns and functions; rows that are there were never requeued."""
    op.execute(ENSURE_AHEAD)
    op.execute(
        "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON schemas "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON schemas "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for name, kind, comment in (
        ("requeued_at", INSTANT, "When a person had it appended anew, UTC; empty: it waits."),
        ("requeued_by", TEXT, "Who."),
        ("requeued_why", TEXT, "Why."),
        ("requeued_topic", TOPIC, "Topic it was appended to."),
        ("requeued_partition", INTEGER, "Partition of that."),
        ("requeued_offset", BIGINT, "Offset it stands at since."),
    ):
        op.add_column("dead_letters", column(name, kind, comment))
    for name, meaning, comment in (
        ("created_at", "started_at", "When the row's story begins: started_at."),
        (
            "updated_at",
            "coalesce(completed_at, failed_at, started_at)",
            "When it was last heard of: its end, else its start.",
        ),
    ):
        op.add_column(
            "data_ingestion_runs",
            sa.Column(name, INSTANT, sa.Computed(meaning, persisted=True), comment=comment),
        )
    op.create_index("operator_acts_decision", "operator_acts", ["decision_id"])
    op.create_index("operator_acts_symbol", "operator_acts", ["symbol", "acted_at"])
    for name in _NAMES:
        for statement in (_VIEWS / f"{name}.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                op.execute(statement)
