"""Which reports were read under the compliance role: by whom, when, and how much was answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import (
    BIGINT,
    INSTANT,
    JSON,
    TEXT,
    column,
    position,
    required,
)

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table; no event before it said anything of reads."""
    op.create_table(
        "report_reads",
        required("read_id", TEXT, "Id of the read; both events of an export name it."),
        column("reader", TEXT, "Who: the name of the token."),
        column("role", TEXT, "Role under which it was read."),
        column(
            "report", TEXT, "Which report: executed, decision, …; overview: the list of symbols."
        ),
        column("arguments", JSON, "What it was asked: the parameters of path and query, by name."),
        column("path", TEXT, "Path of the URL, without its query."),
        column("format", TEXT, "Form of the answer: html, json, csv or parquet."),
        column("request_id", TEXT, "Id of the HTTP request, as the answer named it."),
        column("rows_expected", BIGINT, "Of an export: the rows it was going to have."),
        column("read_at", INSTANT, "When it was recorded, UTC: before the answer left."),
        column(
            "outcome",
            TEXT,
            "answered; nothing_recorded: the answer said that there is no such thing; export_begun: an export "
            "whose end is not recorded; export_complete; export_cut_off: not all rows were put out.",
        ),
        column("rows", BIGINT, "Rows of the answer; null for an export whose end is not recorded."),
        column("ended_at", INSTANT, "When the export ended, UTC; of other reads when it was read."),
        column("outcome_offset", BIGINT, "Offset of the event that stated the outcome."),
        *position(),
        sa.PrimaryKeyConstraint("read_id"),
        comment="Reads under the compliance role, through the API and its pages.",
    )
    op.create_index("report_reads_at", "report_reads", ["read_at", "read_id"])
    op.create_index("report_reads_reader", "report_reads", ["reader", "read_at", "read_id"])
