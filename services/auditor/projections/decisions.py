"""Decisions made and declined, with their rationale and their exact sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.auditor.entry import Entry
from services.auditor.projections.content import Said, content, known, shape, sparse
from services.auditor.rows import POSITION, Change
from services.auditor.tables.trading import (
    DECISION,
    DECISION_SOURCES,
    DECISION_STATUS,
    DECLINED_DECISIONS,
    TRADE_DECISIONS,
)
from tradetrail.reports.encode import to_json

_made = shape(TRADE_DECISIONS, DECISION, created_at="occurred_at")
_declined = shape(DECLINED_DECISIONS, DECLINED_DECISIONS.groups[0], created_at="occurred_at")
_source = shape(
    DECISION_SOURCES,
    DECISION_SOURCES.groups[0],
    transaction_date="transacted_on",
    disclosed_on="reported_on",
)
_RECORD_PLACE = ("topic", "partition", "offset", "event_id")


def made(entry: Entry) -> Iterator[Change]:
    """Project DecisionMade: the decision, pending, and the record versions it used."""
    decision = _decided(entry)
    yield _made(decision)
    yield status(decision, "pending", 1)
    stands = {name: decision[name] for name in ("decision_id", *POSITION)}
    for record in decision["rationale"]["source_data"]["records"]:
        where = {f"record_{name}": record[name] for name in _RECORD_PLACE}
        yield _source(record | where | stands)


def declined(entry: Entry) -> Iterator[Change]:
    """Project DecisionDeclined."""
    yield _declined(_decided(entry))


def status(said: Said, name: str, attempt_number: int, **more: Any) -> Change:
    """Return what an event says about its decision's status; ``more`` fills columns of that group."""
    values: Said = {
        "decision_id": said["decision_id"],
        "status": name,
        "retry_count": max(attempt_number - 1, 0),
        "updated_at": said["occurred_at"],
        "status_offset": said["offset"],
    }
    return sparse(TRADE_DECISIONS, DECISION_STATUS, values | more)


def rationale_json(rationale: dict[str, Any]) -> str:
    """Return the rationale as JSON, with the ids of the records used by themselves as well."""
    sources = rationale["source_data"]
    ids = [record["record_id"] for record in sources["records"]]
    return to_json(rationale | {"source_data": {"quiver_trade_ids": ids} | sources})


def _decided(entry: Entry) -> Said:
    decision = content(entry)
    rationale = decision["rationale"]
    for name in ("signal_strength", "confidence_score", "trigger_event"):
        decision[name] = rationale[name]
    decision["decision_rationale"] = rationale_json(rationale)
    decision["batch_id"] = known(decision["batch_id"])
    decision["configuration_hash"] = known(decision["configuration_hash"])
    decision["reference_through"] = to_json(decision["reference_through"])
    decision["api_call_ids"] = to_json(decision["api_call_ids"])
    return decision
