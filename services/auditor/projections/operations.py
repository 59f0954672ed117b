"""What people and the auditor itself state: operator acts and their answers, reads, alerts, dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import content, shape, sparse
from services.auditor.projections.decisions import status
from services.auditor.rows import Change
from services.auditor.tables.operations import (
    ALERTS,
    DEAD_LETTER_FOUND,
    DEAD_LETTER_REQUEUED,
    DEAD_LETTER_SENT,
    DEAD_LETTERS,
    OPERATOR_ACTS,
    OPERATOR_ANSWERS,
    READ,
    READ_OUTCOME,
    REPORT_READS,
)
from tradetrail.events.generated import OperatorAct, ReadOutcome
from tradetrail.log.codec import BadEvent
from tradetrail.reports.encode import to_json
from tradetrail.requeues import read_requeue

_act = shape(OPERATOR_ACTS, OPERATOR_ACTS.groups[0], act_id="event_id", acted_at="occurred_at")
_answer = shape(
    OPERATOR_ANSWERS, OPERATOR_ANSWERS.groups[0], answer_id="event_id", answered_at="occurred_at"
)
_read = shape(REPORT_READS, READ, report="query", read_at="occurred_at")
_alert = shape(ALERTS, ALERTS.groups[0], alert_id="event_id", raised_at="occurred_at")
_letter_found = shape(DEAD_LETTERS, DEAD_LETTER_FOUND, detected_offset="source_offset")
_letter_sent = shape(DEAD_LETTERS, DEAD_LETTER_SENT)


def operator_act(entry: Entry) -> Iterator[Change]:
    """Project OperatorActed; a dead letter that was appended anew has that from here."""
    act = content(entry)
    requeue = read_requeue(act["arguments"]) if act["act"] == OperatorAct.REQUEUE else None
    act["arguments"] = json_text(act["arguments"])
    yield _act(act)
    if requeue is not None:
        (topic, partition, offset), (to_topic, to_partition, to_offset) = requeue
        letter = {
            "source_topic": topic,
            "source_partition": partition,
            "source_offset": offset,
            "requeued_at": act["occurred_at"],
            "requeued_by": act["operator"],
            "requeued_why": act["why"],
            "requeued_topic": to_topic,
            "requeued_partition": to_partition,
            "requeued_offset": to_offset,
        }
        yield sparse(DEAD_LETTERS, DEAD_LETTER_REQUEUED, letter)


def operator_answer(entry: Entry) -> Iterator[Change]:
    """Project OperatorAnswered; a decision that was cancelled while it waited has its end from here."""
    answer = content(entry)
    attempt_number = _attempt_number(answer["details"])
    answer["details"] = json_text(answer["details"])
    yield _answer(answer)
    if answer["decision_status"] == "cancelled" and answer["decision_id"]:
        yield status(
            answer,
            "cancelled",
            attempt_number,
            cancelled_at=answer["occurred_at"],
            failure_reason="operator_cancelled",
            failure_message=answer["explanation"],
        )


def _attempt_number(details: Any) -> int:
    """Return how many attempts a decision had when it was cancelled: one that waited for a retry had some."""
    try:
        told = json.loads(details)["attempt_number"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return 1
    return told if isinstance(told, int) and 0 < told < 1_000 else 1


def read(entry: Entry) -> Iterator[Change]:
    """Project QueryRecorded: a read, and what came of it; an export has that once more at its end."""
    said = content(entry)
    said["read_id"] = said["read_id"] or said["event_id"]
    said["arguments"] = json_text(said["arguments"])
    yield _read(said)
    outcome = said["outcome"] or ReadOutcome.ANSWERED
    has_begun = outcome == ReadOutcome.EXPORT_BEGUN
    came_of_it = {
        "read_id": said["read_id"],
        "outcome": outcome,
        "rows": None if has_begun else said["rows"],
        "ended_at": None if has_begun else said["occurred_at"],
        "outcome_offset": said["offset"],
    }
    yield sparse(REPORT_READS, READ_OUTCOME, came_of_it)


def alert(entry: Entry) -> Iterator[Change]:
    """Project AlertRaised."""
    raised = content(entry)
    raised["deliveries"] = to_json(raised["deliveries"])
    yield _alert(raised)


def dead_letter(entry: Entry) -> Iterator[Change]:
    """Project EventDeadLettered: why, as it was published, and where."""
    letter = content(entry)
    yield _letter_found(letter)
    yield _letter_sent(letter)


def unreadable(entry: Entry, bad: BadEvent) -> Change:
    """Return the row of an event that could not be read or stored, before its dead letter has come back."""
    message = entry.message
    values = {
        "source_topic": message.topic,
        "source_partition": message.partition,
        "source_offset": message.offset,
        "source_key": message.key,
        "reason_code": str(bad.code),
        "reason": str(bad).replace("\x00", "\ufffd"),
        "schema_id": entry.claimed_schema_id,
        "detected_offset": message.offset,
    }
    return sparse(DEAD_LETTERS, DEAD_LETTER_FOUND, values)
