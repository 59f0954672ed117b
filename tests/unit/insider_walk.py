"""Insider rows as the strategy would meet them: each day's reports known the next morning, symbol by symbol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.decider.signals.signal import Signal, Strategy
from services.decider.views.symbol_state import Acted, Recorded
from services.decider.views.view import Disclosure, Trigger, View, disclosure
from services.ingestor.rows.records import FetchedRow, Record, insider_records
from tests.unit.decider_views import empty_state, place
from tradetrail.events.generated import DisclosureRecorded, LineageRun, RecordChange
from tradetrail.log.configuration import Stamp

Filed = dict[str, dict[date, list[Disclosure]]]


@dataclass(frozen=True)
class Answer:
    """What was asked of one symbol on one morning, and what came of it."""

    symbol: str
    day: date
    view: View
    signal: Signal


def filed_of(rows: Iterable[dict[str, Any]]) -> Filed:
    """Return the disclosures of the vendor's rows by symbol and day of the report."""
    found: Filed = defaultdict(lambda: defaultdict(list))
    records = insider_records(FetchedRow("call", n, row) for n, row in enumerate(rows))
    for number, record in enumerate(records):
        if record.symbol is not None and record.reported_on is not None:
            found[record.symbol][record.reported_on].append(_disclosure(number, record))
    return found


def walk(strategy: Strategy, filed: Filed) -> list[Answer]:
    """Return a strategy's answers, symbol by symbol in the order of days."""
    return [each for symbol, days in filed.items() for each in _walk(strategy, symbol, days)]


def _disclosure(number: int, record: Record) -> Disclosure:
    event = DisclosureRecorded(
        event_id=f"event-{number}",
        **Stamp("ingestor", "test").envelope(datetime(2022, 1, 1, tzinfo=UTC)),
        symbol=record.symbol,
        record_id=str(number),
        version=1,
        change=RecordChange.CREATED,
        content_hash=record.content_hash,
        run_id=f"run of {record.reported_on}",
        api_call_id=record.call_id,
        row_number=record.row_number,
        flags=record.flags,
        **record.facts,
    )
    return disclosure(event, place(number))


def _walk(strategy: Strategy, symbol: str, days: dict[date, list[Disclosure]]) -> Iterator[Answer]:
    state = empty_state()
    acted = state.acted.setdefault(strategy.name, {})
    for day in sorted(days):
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(days=1)
        state.recorded += [Recorded(at, d.place.offset, d, False) for d in days[day]]
        run = LineageRun(
            run_id=f"run of {day}",
            task_name="data_fetch:insider_daily",
            data_source="quiverquant_insider",
            completed_at=at,
            records_fetched=len(days[day]),
        )
        asked = Trigger(symbol, place(10**6), at, run, tuple(d.record_id for d in days[day]))
        seen = state.view(strategy.name, asked)
        signal = strategy.evaluate(seen, asked)
        if signal.decline is None:
            mine = [d.record_id for d in signal.used if d.run_id == run.run_id]
            acted.update({record_id: {Acted(at, 0)} for record_id in mine})
        yield Answer(symbol, day, seen, signal)
