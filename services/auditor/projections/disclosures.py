"""Disclosed trades of politicians and insiders: every version one row, and the run that brought it.

A correction that moves a record to another symbol has a second row: that the old symbol lost it. Whatever a run
delivered of a symbol ends with the row that made the decider look.
"""

from __future__ import annotations

from collections.abc import Iterator

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import content, known, shape
from services.auditor.rows import Change
from services.auditor.tables.ingestion import (
    CONGRESS_TRADES,
    DATA_INGESTION_RUN_RECORDS,
    DISCLOSURE_WITHDRAWALS,
    INSIDER_TRADES,
    SYMBOL_DATA_READY,
)

_run_record = shape(
    DATA_INGESTION_RUN_RECORDS,
    DATA_INGESTION_RUN_RECORDS.groups[0],
    record_type="kind",
    operation="change",
)
_COMMON = {
    "transaction_date": "transacted_on",
    "disclosed_on": "reported_on",
    "recorded_at": "occurred_at",
}
_congress_trade = shape(
    CONGRESS_TRADES,
    CONGRESS_TRADES.groups[0],
    politician_id="person_id",
    politician_name="person_name",
    **_COMMON,
)
_insider_trade = shape(
    INSIDER_TRADES, INSIDER_TRADES.groups[0], insider_name="person_name", **_COMMON
)
_withdrawal = shape(
    DISCLOSURE_WITHDRAWALS, DISCLOSURE_WITHDRAWALS.groups[0], withdrawn_at="occurred_at"
)
_ready = shape(
    SYMBOL_DATA_READY, SYMBOL_DATA_READY.groups[0], trigger_id="event_id", ready_at="occurred_at"
)


def disclosure(entry: Entry) -> Iterator[Change]:
    """Project DisclosureRecorded."""
    record = content(entry)
    yield _run_record(record)
    record["source_fields"] = json_text(record["source_fields"])
    if record["kind"] == "congress":
        record["person_id"] = known(record["person_id"])
        yield _congress_trade(record)
    elif record["kind"] == "insider":
        yield _insider_trade(record)


def withdrawn(entry: Entry) -> Iterator[Change]:
    """Project DisclosureWithdrawn."""
    yield _withdrawal(content(entry))


def ready(entry: Entry) -> Iterator[Change]:
    """Project SymbolDataReady: what a decision is taken on."""
    yield _ready(content(entry))
