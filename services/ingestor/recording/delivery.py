"""What a run delivers, as one list of events in the order they are sent. Pure.

Each symbol's last event is its SymbolDataReady; the run's last is IngestionRunCompleted. A correction that takes a
record away from a symbol is told there too, before that symbol's SymbolDataReady if it has one. Ids depend on what the
records say, not on the run: a run done again after a crash makes the same ones, and so do the decisions that follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.ingestor.known.ledger import Verdict, identity_of
from services.ingestor.recording.counts import Counts
from services.ingestor.rows.seats import Seat
from services.ingestor.rows.sectors import SectorChange
from services.ingestor.tasks import Task
from tradetrail.events.generated import (
    Cause,
    CommitteeMembershipRecorded,
    DisclosureRecorded,
    DisclosureWithdrawn,
    IngestionRunCompleted,
    RecordKept,
    RecordReference,
    RunFinding,
    SeatChange,
    SectorRecorded,
    SymbolDataReady,
    WithdrawalReason,
)
from tradetrail.ids import derive_id
from tradetrail.log.configuration import Stamp
from tradetrail.log.producer import Outgoing
from tradetrail.log.topics import Topics


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What every event of one run's delivery says."""

    run_id: str
    task: Task
    started_at: datetime
    start: date | None
    end: date | None
    completed_at: datetime
    causes: Mapping[str, Cause]
    last_cause: Cause


class Delivery:
    """Builds the events of a run's last transaction."""

    def __init__(self, topics: Topics, stamp: Stamp, run: RunFacts) -> None:
        """Build for one run."""
        self._topics = topics
        self._stamp = stamp
        self._run = run

    def records(self, verdicts: Sequence[Verdict], counts: Counts) -> list[Outgoing]:
        """Return the events of new and changed records, what keeps them known, and the run's end."""
        by_symbol: defaultdict[str, list[DisclosureRecorded]] = defaultdict(list)
        outputs: list[Outgoing] = []
        kept: list[Outgoing] = []
        for verdict in verdicts:
            # Before any SymbolDataReady: what is decided next about the symbol it left must not count it.
            if (left := verdict.left_symbol) is not None:
                withdrawn = self._withdrawn(verdict, left)
                outputs.append(Outgoing(self._topics.for_symbol(left), left, withdrawn))
            event = self._disclosure(verdict)
            if event.symbol is None:
                outputs.append(Outgoing(self._topics.runs, self._run.task.name, event))
            else:
                by_symbol[event.symbol].append(event)
            entry = kept_event(event, self._run.task.data_source, identity_of(verdict.record))
            kept.append(Outgoing(self._topics.ingestor_state, event.record_id, entry))
        for symbol in sorted(by_symbol):
            topic, events = self._topics.for_symbol(symbol), by_symbol[symbol]
            outputs += [Outgoing(topic, symbol, event) for event in events]
            outputs.append(Outgoing(topic, symbol, self._ready(symbol, events, counts)))
        ids = [verdict.record_id for verdict in verdicts]
        return [*outputs, *kept, self._completed(counts, ids)]

    def findings(self, found: Sequence[RunFinding], counts: Counts) -> list[Outgoing]:
        """Return the end of a maintenance run."""
        return [self._completed(counts, [], found)]

    def seats(
        self, changes: Sequence[tuple[SeatChange, Seat]], call_id: str, counts: Counts
    ) -> list[Outgoing]:
        """Return the events of changed seats, and the run's end."""
        outputs = [
            Outgoing(self._topics.reference, seat.politician_id, self._seat(change, seat, call_id))
            for change, seat in changes
        ]
        return [*outputs, self._completed(counts, [])]

    def sectors(
        self, changes: Sequence[SectorChange], call_id: str, counts: Counts
    ) -> list[Outgoing]:
        """Return the events of new and changed sectors, and the run's end."""
        outputs = [
            Outgoing(self._topics.reference, change.sector.symbol, self._sector(change, call_id))
            for change in changes
        ]
        return [*outputs, self._completed(counts, [])]

    def _disclosure(self, verdict: Verdict) -> DisclosureRecorded:
        record = verdict.record
        return DisclosureRecorded(
            event_id=str(derive_id("disclosure", verdict.record_id, verdict.version)),
            **self._stamp.envelope(self._run.completed_at),
            cause=self._run.causes[record.call_id],
            symbol=record.symbol,
            story_id=self._run.run_id,
            record_id=verdict.record_id,
            version=verdict.version,
            change=verdict.change,
            changed_fields=verdict.changed_fields,
            content_hash=record.content_hash,
            run_id=self._run.run_id,
            api_call_id=record.call_id,
            row_number=record.row_number,
            flags=record.flags,
            **record.facts,
        )

    def _withdrawn(self, verdict: Verdict, left: str) -> DisclosureWithdrawn:
        record = verdict.record
        return DisclosureWithdrawn(
            event_id=str(derive_id("disclosure-withdrawn", verdict.record_id, verdict.version)),
            **self._stamp.envelope(self._run.completed_at),
            cause=self._run.causes[record.call_id],
            symbol=left,
            story_id=self._run.run_id,
            record_id=verdict.record_id,
            version=verdict.version,
            moved_to_symbol=record.symbol,
            reason=WithdrawalReason.MOVED,
            run_id=self._run.run_id,
            api_call_id=record.call_id,
        )

    def _ready(
        self, symbol: str, events: Sequence[DisclosureRecorded], counts: Counts
    ) -> SymbolDataReady:
        run = self._run
        versions = [f"{event.record_id}:{event.version}" for event in events]
        return SymbolDataReady(
            event_id=str(derive_id("symbol-data-ready", symbol, *versions)),
            **self._stamp.envelope(run.completed_at),
            cause=run.last_cause,
            symbol=symbol,
            story_id=run.run_id,
            run_id=run.run_id,
            task_name=run.task.name,
            data_source=run.task.data_source,
            completed_at=run.completed_at,
            records_fetched=counts.fetched,
            records=tuple(
                RecordReference(
                    record_id=event.record_id, version=event.version, event_id=event.event_id
                )
                for event in events
            ),
        )

    def _seat(self, change: SeatChange, seat: Seat, call_id: str) -> CommitteeMembershipRecorded:
        run = self._run
        valid_from = run.end or run.completed_at.date()
        facts = {name: getattr(seat, name) for name in Seat.__slots__}
        return CommitteeMembershipRecorded(
            event_id=str(
                derive_id("committee-seat", *map(repr, facts.values()), change, valid_from)
            ),
            **self._stamp.envelope(run.completed_at),
            cause=run.causes[call_id],
            story_id=run.run_id,
            valid_from=valid_from,
            change=change,
            run_id=run.run_id,
            api_call_id=call_id,
            **facts,
        )

    def _sector(self, change: SectorChange, call_id: str) -> SectorRecorded:
        run, told = self._run, change.sector
        valid_from = run.end or run.completed_at.date()
        # What was said before is part of the id: a sector that changes and changes back in a day is told twice.
        event_id = derive_id("sector", repr(told), repr(change.before), valid_from)
        return SectorRecorded(
            event_id=str(event_id),
            **self._stamp.envelope(run.completed_at),
            cause=run.causes[call_id],
            symbol=told.symbol,
            story_id=run.run_id,
            company_name=told.company_name,
            sector=told.sector,
            industry=told.industry,
            valid_from=valid_from,
            run_id=run.run_id,
            api_call_id=call_id,
        )

    def _completed(
        self, counts: Counts, record_ids: Sequence[str], found: Sequence[RunFinding] = ()
    ) -> Outgoing:
        run = self._run
        event = IngestionRunCompleted(
            event_id=str(derive_id("run-completed", run.run_id)),
            **self._stamp.envelope(run.completed_at),
            cause=run.last_cause,
            story_id=run.run_id,
            run_id=run.run_id,
            task_name=run.task.name,
            data_source=run.task.data_source,
            started_at=run.started_at,
            data_date_start=run.start,
            data_date_end=run.end,
            records_fetched=counts.fetched,
            records_created=counts.created,
            records_updated=counts.updated,
            records_skipped=counts.skipped,
            records_flagged=counts.flagged,
            flags=dict(counts.flags),
            ingested_record_ids=tuple(record_ids),
            findings=tuple(found),
        )
        return Outgoing(self._topics.runs, run.task.name, event)


def kept_event(event: DisclosureRecorded, data_source: str, identity: str) -> RecordKept:
    """Return the state entry of a record whose newest version is ``event``, of which alone it is made."""
    return RecordKept(
        event_id=str(derive_id("record-kept", event.record_id, event.version)),
        occurred_at=event.occurred_at,
        service=event.service,
        service_version=event.service_version,
        instance=event.instance,
        symbol=event.symbol,
        story_id=event.story_id,
        record_id=event.record_id,
        version=event.version,
        content_hash=event.content_hash,
        data_source=data_source,
        identity=identity,
    )
