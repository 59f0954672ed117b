"""What people and the auditor itself state: acts and answers, reads, alerts, dead letters."""

from __future__ import annotations

from services.auditor.rows import Group, Reference, Table
from services.auditor.tables.links import fact

OPERATOR_ACTS = Table(
    "operator_acts",
    ("act_id",),
    (
        fact(
            *("act", "operator", "why", "scope", "arguments", "symbol", "decision_id"),
            *("execution_id", "idempotency_key", "acted_at"),
        ),
    ),
)
OPERATOR_ANSWERS = Table(
    "operator_answers",
    ("answer_id",),
    (
        fact(
            *("act_id", "act", "account", "member_id", "is_active", "outcome", "explanation"),
            *("details", "symbol", "decision_id", "execution_id", "decision_status"),
            "answered_at",
        ),
    ),
    (Reference(("act_id",), "operator_acts"),),
)
READ = fact(
    *("reader", "role", "report", "arguments", "path", "format", "request_id", "rows_expected"),
    "read_at",
)
# An export has an event when it begins and one when it ends; both stand in the one partition of their topic.
READ_OUTCOME = Group(
    ("outcome_offset",), ("outcome", "rows", "ended_at", "outcome_offset"), keep="last"
)
REPORT_READS = Table("report_reads", ("read_id",), (READ, READ_OUTCOME))
ALERTS = Table(
    "alerts",
    ("alert_id",),
    (fact("rule", "severity", "subject", "message", "symbol", "deliveries", "raised_at"),),
)
DEAD_LETTER_FOUND = Group(
    ("detected_offset",),
    ("source_key", "reason_code", "reason", "schema_id", "detected_offset"),
)
DEAD_LETTER_SENT = fact("occurred_at")
DEAD_LETTER_REQUEUED = Group(
    ("requeued_topic", "requeued_partition", "requeued_offset"),
    (
        *("requeued_at", "requeued_by", "requeued_why"),
        *("requeued_topic", "requeued_partition", "requeued_offset"),
    ),
)
DEAD_LETTERS = Table(
    "dead_letters",
    ("source_topic", "source_partition", "source_offset"),
    (DEAD_LETTER_FOUND, DEAD_LETTER_SENT, DEAD_LETTER_REQUEUED),
)
