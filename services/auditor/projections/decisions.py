"""Decisions made and declined, with their rationale and their exact sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.auditor.entry import Entry
from services.auditor.projections.content import content, known, pick
from services.auditor.rows import Change, Values
from services.auditor.tables.trading import (
    DECISION,
    DECISION_SOURCES,
    DECISION_STATUS,
    DECLINED_DECISIONS,
    TRADE_DECISIONS,
)
from tradetrail.reports.encode import to_json


def made(entry: Entry) -> Iterator[Change]:
    """Project DecisionMade: the decision, pending, and the record versions it used."""
    decision = content(entry)
    values = _decided(decision) | pick(
        decision,
        *("quantity", "order_type", "limit_price", "time_in_force", "made_by", "why"),
    )
    yield Change(TRADE_DECISIONS, DECISION, values | entry.position())
    yield status(entry, decision["decision_id"], "pending", 1)
    for record in decision["rationale"]["source_data"]["records"]:
        yield _source(entry, decision["decision_id"], record)


def declined(entry: Entry) -> Iterator[Change]:
    """Project DecisionDeclined."""
    decision = content(entry)
    values = _decided(decision) | pick(decision, "reason", "reason_text")
    group = DECLINED_DECISIONS.groups[0]
    yield Change(DECLINED_DECISIONS, group, values | entry.position())


def status(entry: Entry, decision_id: str, name: str, attempt_number: int, **more: Any) -> Change:
    """Return what an event says about a decision's status; ``more`` fills columns of that group."""
    values: Values = {
        "decision_id": decision_id,
        "status": name,
        "retry_count": max(attempt_number - 1, 0),
        "updated_at": content(entry)["occurred_at"],
        "status_offset": entry.message.offset,
    }
    return Change(TRADE_DECISIONS, DECISION_STATUS, values | more)


def rationale_json(rationale: dict[str, Any]) -> str:
    """Return the rationale as JSON, with the ids of the records used by themselves as well."""
    sources = rationale["source_data"]
    ids = [record["record_id"] for record in sources["records"]]
    return to_json(rationale | {"source_data": {"quiver_trade_ids": ids} | sources})


def _decided(decision: dict[str, Any]) -> Values:
    values: Values = pick(
        decision,
        *("decision_id", "strategy_name", "strategy_version", "symbol", "side", "view_through"),
    )
    rationale = decision["rationale"]
    values |= pick(rationale, "signal_strength", "confidence_score", "trigger_event")
    values["decision_rationale"] = rationale_json(rationale)
    values["batch_id"] = known(decision["batch_id"])
    values["configuration_hash"] = known(decision["configuration_hash"])
    values["reference_through"] = to_json(decision["reference_through"])
    values["api_call_ids"] = to_json(decision["api_call_ids"])
    values["created_at"] = decision["occurred_at"]
    return values


def _source(entry: Entry, decision_id: str, record: dict[str, Any]) -> Change:
    values: Values = pick(record, "record_id", "version", "run_id", "person", "direction")
    values |= {
        "decision_id": decision_id,
        "transaction_date": record["transacted_on"],
        "disclosed_on": record["reported_on"],
        "record_topic": record["topic"],
        "record_partition": record["partition"],
        "record_offset": record["offset"],
        "record_event_id": record["event_id"],
    }
    return Change(DECISION_SOURCES, DECISION_SOURCES.groups[0], values | entry.position())
