"""What executors answered to people's acts, whose a discovered order is, and the calls behind a check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import (
    BOOLEAN,
    INSTANT,
    JSONB,
    TEXT,
    column,
    position,
    required,
)

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table, and add the columns; no event before them said anything of either."""
    op.create_table(
        "operator_answers",
        required("answer_id", TEXT, "Id of the event that recorded it."),
        column("act_id", TEXT, "The act it answers."),
        column("act", TEXT, "Which act: cancel_order, halt, …"),
        column("account", TEXT, "Broker account the executor serves."),
        column(
            "member_id",
            TEXT,
            "The executor as a member of its account's group; every member answers a halt.",
        ),
        column("is_active", BOOLEAN, "Whether it acted for the account, or stood by."),
        column(
            "outcome",
            TEXT,
            "acknowledged: in force from here on; done: carried out; refused: nothing was changed.",
        ),
        column("explanation", TEXT, "What was done or why not, in a sentence."),
        column("details", JSONB, "Numbers behind it."),
        column("symbol", TEXT, "Symbol."),
        column("decision_id", TEXT, "Decision it concerns."),
        column("execution_id", TEXT, "Execution it concerns; of a replacement, the new one."),
        column(
            "decision_status",
            TEXT,
            "Status of the decision, where the answer itself changed it: cancelled while it waited.",
        ),
        column("answered_at", INSTANT, "When, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("answer_id"),
        sa.ForeignKeyConstraint(["act_id"], ["operator_acts.act_id"]),
        comment="What executors answered to people's acts.",
    )
    op.create_index("operator_answers_act", "operator_answers", ["act_id"])
    op.create_index("operator_answers_decision", "operator_answers", ["decision_id"])
    for name, comment in (
        ("discovered_decision_id", "Decision of ours that it belongs to after all."),
        (
            "discovered_execution_id",
            "Execution that was recorded as over or not sent, and whose order the broker has all the same.",
        ),
        ("discovered_explanation", "What the log lacked, in a sentence."),
    ):
        op.add_column("alpaca_orders", column(name, TEXT, comment))
    op.add_column(
        "risk_checks",
        column(
            "api_call_ids",
            JSONB,
            "The recorded calls that the check took its numbers from: account, positions, last prices.",
        ),
    )
