"""Disclosures as an ingestor would put them into the log, for tests of what comes after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tradetrail.events import Event
from tradetrail.events.generated import (
    Direction,
    DisclosureRecorded,
    RecordChange,
    RecordKind,
    RecordReference,
    SymbolDataReady,
)
from tradetrail.ids import derive_id
from tradetrail.log.codec import Codec
from tradetrail.log.configuration import Stamp
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

STAMP = Stamp("ingestor", "test")


@dataclass(frozen=True, slots=True)
class Row:
    """One disclosed trade, as far as a test cares."""

    person: str
    direction: Direction = Direction.BUY
    amount_usd_min: int = 15_001
    version: int = 1


def run_events(symbol: str, run_id: str, at: datetime, rows: Sequence[Row]) -> list[Event]:
    """Return the events of one run about ``symbol``; a person's record keeps its id from run to run."""
    events: list[Event] = []
    references = []
    for number, row in enumerate(rows):
        record_id = str(derive_id("test-record", symbol, row.person, row.direction))
        event_id = str(derive_id("disclosure", record_id, row.version))
        references.append(
            RecordReference(record_id=record_id, version=row.version, event_id=event_id)
        )
        events.append(_disclosure(symbol, run_id, at, number, row, record_id, event_id))
    events.append(
        SymbolDataReady(
            event_id=str(derive_id("symbol-data-ready", symbol, run_id)),
            **STAMP.envelope(at),
            symbol=symbol,
            story_id=run_id,
            run_id=run_id,
            task_name="data_fetch:congress_daily",
            data_source="quiverquant_congress",
            completed_at=at,
            records_fetched=len(rows),
            records=tuple(references),
        )
    )
    return events


def _disclosure(
    symbol: str, run_id: str, at: datetime, number: int, row: Row, record_id: str, event_id: str
) -> DisclosureRecorded:
    reported_on = at.date() - timedelta(days=1)
    return DisclosureRecorded(
        event_id=event_id,
        **STAMP.envelope(at),
        symbol=symbol,
        story_id=run_id,
        record_id=record_id,
        version=row.version,
        change=RecordChange.CREATED if row.version == 1 else RecordChange.UPDATED,
        content_hash="0",
        kind=RecordKind.CONGRESS,
        run_id=run_id,
        api_call_id=f"{run_id}-call",
        row_number=number,
        person_name=row.person,
        ticker_text=symbol,
        transaction_type="Purchase",
        direction=row.direction,
        transacted_on=reported_on - timedelta(days=10),
        reported_on=reported_on,
        amount_usd_min=Decimal(row.amount_usd_min),
        source_fields="{}",
    )


def publish(log: SharedSettings, events: Sequence[Event]) -> list[tuple[str, int, int]]:
    """Commit ``events`` to their symbols' topics in one transaction; return where they stand."""
    topics, codec = Topics.of(log), Codec(log.registry_url)
    producer = TransactionalProducer(log, codec, f"{log.topic_prefix}test-ingestor")
    producer.start()
    outputs = [Outgoing(topics.for_symbol(e.symbol or ""), e.symbol or "", e) for e in events]
    return producer.commit(outputs)


def morning(day: date) -> datetime:
    """Return seven o'clock in a New York winter, UTC."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
