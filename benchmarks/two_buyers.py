"""A run of the ingestor about one symbol, as the decider's benchmarks put it into a log: two members bought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
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
from tradetrail.log.stamp import Stamp

_STAMP = Stamp("ingestor", "bench")


def run_events(
    symbol: str, run_id: str, at: datetime, people: Sequence[str], amount_usd_min: int
) -> list[Event]:
    """Return a new purchase of each of ``people``, and the trigger. ``at`` is the run's instant, UTC."""
    events: list[Event] = []
    references = []
    for row, person in enumerate(people):
        record_id = str(derive_id("bench-record", symbol, run_id, row))
        event_id = str(derive_id("disclosure", record_id, 1))
        references.append(RecordReference(record_id=record_id, version=1, event_id=event_id))
        events.append(
            DisclosureRecorded(
                event_id=event_id,
                **_STAMP.envelope(at),
                symbol=symbol,
                story_id=run_id,
                record_id=record_id,
                version=1,
                change=RecordChange.CREATED,
                content_hash="0",
                kind=RecordKind.CONGRESS,
                run_id=run_id,
                api_call_id=f"{run_id}-call",
                row_number=row,
                person_name=person,
                ticker_text=symbol,
                transaction_type="Purchase",
                direction=Direction.BUY,
                transacted_on=at.date() - timedelta(days=11),
                reported_on=at.date() - timedelta(days=1),
                amount_usd_min=Decimal(amount_usd_min),
                source_fields="{}",
            )
        )
    ready = SymbolDataReady(
        event_id=str(derive_id("symbol-data-ready", symbol, run_id)),
        **_STAMP.envelope(at),
        symbol=symbol,
        story_id=run_id,
        run_id=run_id,
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        completed_at=at,
        records_fetched=len(people),
        records=tuple(references),
    )
    return [*events, ready]
