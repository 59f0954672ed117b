"""The broker's answers about the account, newest first: one of thousands of calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the index. It holds the first chunk of good answers only."""
    op.create_index(
        "api_payloads_account",
        "api_payloads",
        ["requested_at", "call_id"],
        postgresql_where=sa.text(
            "vendor = 'alpaca' AND endpoint = '/v2/account' AND status_code = 200 AND chunk_index = 0"
        ),
    )
