"""What people and the auditor itself state: operator acts and their answers, reads, alerts, dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import content, pick
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


def operator_act(entry: Entry) -> Iterator[Change]:
    """Project OperatorActed; a dead letter that was appended anew has that from here."""
    act = content(entry)
    values = pick(
        act,
        *("act", "operator", "why", "scope", "symbol", "decision_id", "execution_id"),
        "idempotency_key",
    )
    values["act_id"] = act["event_id"]
    values["arguments"] = json_text(act["arguments"])
    values["acted_at"] = act["occurred_at"]
    yield Change(OPERATOR_ACTS, OPERATOR_ACTS.groups[0], values | entry.position())
    requeue = read_requeue(act["arguments"]) if act["act"] == OperatorAct.REQUEUE else None
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
        yield Change(DEAD_LETTERS, DEAD_LETTER_REQUEUED, letter)


def operator_answer(entry: Entry) -> Iterator[Change]:
    """Project OperatorAnswered; a decision that was cancelled while it waited has its end from here."""
    answer = content(entry)
    values = pick(
        answer,
        *("act_id", "act", "account", "member_id", "is_active", "outcome", "explanation"),
        *("symbol", "decision_id", "execution_id", "decision_status"),
    )
    values["answer_id"] = answer["event_id"]
    values["details"] = None if answer["details"] is None else json_text(answer["details"])
    values["answered_at"] = answer["occurred_at"]
    yield Change(OPERATOR_ANSWERS, OPERATOR_ANSWERS.groups[0], values | entry.position())
    if answer["decision_status"] == "cancelled" and answer["decision_id"]:
        yield status(
            entry,
            answer["decision_id"],
            "cancelled",
            _attempt_number(answer["details"]),
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
    read_id = said["read_id"] or said["event_id"]
    outcome = said["outcome"] or ReadOutcome.ANSWERED
    values = pick(said, "reader", "role", "path", "format", "request_id", "rows_expected")
    values["read_id"] = read_id
    values["report"] = said["query"]
    values["arguments"] = json_text(said["arguments"])
    values["read_at"] = said["occurred_at"]
    has_begun = outcome == ReadOutcome.EXPORT_BEGUN
    came_of_it = {
        "read_id": read_id,
        "outcome": outcome,
        "rows": None if has_begun else said["rows"],
        "ended_at": None if has_begun else said["occurred_at"],
        "outcome_offset": entry.message.offset,
    }
    yield Change(REPORT_READS, READ, values | entry.position())
    yield Change(REPORT_READS, READ_OUTCOME, came_of_it)


def alert(entry: Entry) -> Iterator[Change]:
    """Project AlertRaised."""
    raised = content(entry)
    values = pick(raised, "rule", "severity", "subject", "message", "symbol")
    values["alert_id"] = raised["event_id"]
    values["deliveries"] = to_json(raised["deliveries"])
    values["raised_at"] = raised["occurred_at"]
    yield Change(ALERTS, ALERTS.groups[0], values | entry.position())


def dead_letter(entry: Entry) -> Iterator[Change]:
    """Project EventDeadLettered: why, as it was published, and where."""
    letter = content(entry)
    source = pick(letter, "source_topic", "source_partition", "source_offset")
    found = pick(letter, "source_key", "reason_code", "reason", "schema_id")
    found["detected_offset"] = letter["source_offset"]
    yield Change(DEAD_LETTERS, DEAD_LETTER_FOUND, source | found)
    sent = {"occurred_at": letter["occurred_at"]} | entry.position()
    yield Change(DEAD_LETTERS, DEAD_LETTER_SENT, source | sent)


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
    return Change(DEAD_LETTERS, DEAD_LETTER_FOUND, values)
