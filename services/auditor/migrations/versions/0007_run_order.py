"""Runs in the order in which they are listed: by when they began, or ended where the beginning is not to be read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "data_ingestion_runs_began",
        "data_ingestion_runs",
        [sa.text("coalesce(started_at, completed_at, failed_at)"), "run_id"],
    )
