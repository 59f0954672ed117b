"""Records that a correction took away from a symbol, and how often a call's body was redacted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import INSTANT, INTEGER, TEXT, column, position, required

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table, and add the column; calls that are there were kept as received."""
    op.create_table(
        "disclosure_withdrawals",
        required("record_id", TEXT, "The record; see congress_trades and insider_trades."),
        required("version", INTEGER, "The version that took it away, under its new symbol."),
        column("symbol", TEXT, "Symbol that lost it."),
        column("moved_to_symbol", TEXT, "Symbol it stands under now; empty when it has none."),
        column("reason", TEXT, "Why: moved."),
        column("run_id", TEXT, "Run that fetched the correction."),
        column("api_call_id", TEXT, "Call it came from; see api_payloads."),
        column("withdrawn_at", INSTANT, "When the ingestor recorded it by its clock, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("record_id", "version"),
        sa.ForeignKeyConstraint(["run_id"], ["data_ingestion_runs.run_id"]),
        comment="Disclosures that a correction moved to another symbol, as the old symbol was told.",
    )
    op.create_index("disclosure_withdrawals_symbol", "disclosure_withdrawals", ["symbol"])
    op.create_index("disclosure_withdrawals_run", "disclosure_withdrawals", ["run_id"])
    op.add_column(
        "api_payloads",
        sa.Column(
            "body_redactions",
            INTEGER,
            server_default=sa.text("0"),
            comment="How often the answer held a secret of ours, replaced by stars before it was kept; 0: as received.",
        ),
    )
