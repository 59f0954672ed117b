"""Disclosed trades of politicians and insiders: every version one row, and the run that brought it.

A correction that moves a record to another symbol has a second row: that the old symbol lost it. Whatever a run
delivered of a symbol ends with the row that made the decider look.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import content, known, pick
from services.auditor.rows import Change
from services.auditor.tables.ingestion import (
    CONGRESS_TRADES,
    DATA_INGESTION_RUN_RECORDS,
    DISCLOSURE_WITHDRAWALS,
    INSIDER_TRADES,
    SYMBOL_DATA_READY,
)


def disclosure(entry: Entry) -> Iterator[Change]:
    """Project DisclosureRecorded."""
    record = content(entry)
    position = entry.position()
    operation = pick(
        record, "run_id", "record_id", "version", "symbol", "api_call_id", "row_number"
    )
    operation |= {"record_type": record["kind"], "operation": record["change"]}
    group = DATA_INGESTION_RUN_RECORDS.groups[0]
    yield Change(DATA_INGESTION_RUN_RECORDS, group, operation | position)
    if record["kind"] == "congress":
        values = _common(record) | _congress(record) | position
        yield Change(CONGRESS_TRADES, CONGRESS_TRADES.groups[0], values)
    elif record["kind"] == "insider":
        values = _common(record) | _insider(record) | position
        yield Change(INSIDER_TRADES, INSIDER_TRADES.groups[0], values)


def withdrawn(entry: Entry) -> Iterator[Change]:
    """Project DisclosureWithdrawn."""
    told = content(entry)
    values = pick(
        told,
        *("record_id", "version", "symbol", "moved_to_symbol", "reason", "run_id", "api_call_id"),
    )
    values["withdrawn_at"] = told["occurred_at"]
    group = DISCLOSURE_WITHDRAWALS.groups[0]
    yield Change(DISCLOSURE_WITHDRAWALS, group, values | entry.position())


def ready(entry: Entry) -> Iterator[Change]:
    """Project SymbolDataReady: what a decision is taken on."""
    told = content(entry)
    values = pick(told, "symbol", "run_id")
    values |= {"trigger_id": told["event_id"], "ready_at": told["occurred_at"]}
    group = SYMBOL_DATA_READY.groups[0]
    yield Change(SYMBOL_DATA_READY, group, values | entry.position())


def _common(record: dict[str, Any]) -> dict[str, Any]:
    values = pick(
        record,
        *("record_id", "version", "symbol", "change", "changed_fields", "content_hash", "run_id"),
        *("api_call_id", "row_number", "ticker_text", "transaction_type", "direction", "flags"),
    )
    values["transaction_date"] = record["transacted_on"]
    values["disclosed_on"] = record["reported_on"]
    values["recorded_at"] = record["occurred_at"]
    values["source_fields"] = json_text(record["source_fields"])
    return values


def _congress(record: dict[str, Any]) -> dict[str, Any]:
    values = pick(
        record,
        *("chamber", "party", "district", "asset_type", "description"),
        *("amount_text", "amount_usd_min", "amount_usd_max"),
    )
    values["politician_id"] = known(record["person_id"])
    values["politician_name"] = record["person_name"]
    return values


def _insider(record: dict[str, Any]) -> dict[str, Any]:
    values = pick(
        record,
        *("officer_title", "is_director", "is_officer", "is_ten_percent_owner"),
        *("acquired_disposed_code", "shares", "price_usd", "shares_owned_following", "ownership"),
    )
    values["insider_name"] = record["person_name"]
    return values
