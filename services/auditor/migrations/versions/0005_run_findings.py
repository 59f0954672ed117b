"""What maintenance runs noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import JSONB

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; runs that are there found nothing."""
    op.add_column(
        "data_ingestion_runs",
        sa.Column(
            "findings",
            JSONB,
            server_default=sa.text("'[]'::jsonb"),
            comment="What a maintenance run noticed: a list of {code, subject, message, details}; "
            "empty for other tasks, and before the run's events have come.",
        ),
    )
