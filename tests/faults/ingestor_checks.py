"""What must hold of an ingestor's log whatever was done to its processes. Pure: events in, violations out.

The log is given whole, place by place in order, at a moment when no run is under way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.faults.ingestor_vendor import content_of
from tests.faults.plain_log import Place, Seen
from tradetrail.events.generated import (
    ApiCallRecorded,
    CommitteeMembershipRecorded,
    ConfigurationRecorded,
    DisclosureRecorded,
    DisclosureWithdrawn,
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
    RecordChange,
    RecordKept,
    SymbolDataReady,
)

Delivered = (
    DisclosureRecorded
    | DisclosureWithdrawn
    | SymbolDataReady
    | RecordKept
    | CommitteeMembershipRecorded
)
End = IngestionRunCompleted | IngestionRunFailed


def violations_of(log: Sequence[Seen]) -> list[str]:
    """Return every way in which the log contradicts itself."""
    return [*_lives(log), *_calls(log), *_deliveries(log), *_repeats(log), *_versions(log)]


def _lives(log: Sequence[Seen]) -> list[str]:
    """Each run begins once and ends once, and runs of one data source follow each other."""
    found: list[str] = []
    under_way: dict[str, str] = {}
    over: set[str] = set()
    for seen in log:
        event = seen.event
        if isinstance(event, IngestionRunStarted):
            if (other := under_way.get(event.data_source)) is not None:
                found.append(f"run {event.run_id} begins while {other} of its source is under way")
            if event.run_id in over:
                found.append(f"run {event.run_id} begins after its end")
            under_way[event.data_source] = event.run_id
        elif isinstance(event, End):
            if event.run_id in over:
                found.append(f"run {event.run_id} ends a second time: {event.TYPE}")
            elif under_way.get(event.data_source) != event.run_id:
                found.append(f"run {event.run_id} ends and is not the one under way")
            over.add(event.run_id)
            if under_way.get(event.data_source) == event.run_id:
                del under_way[event.data_source]
    return found + [f"run {run} of {source} has no end" for source, run in under_way.items()]


def _calls(log: Sequence[Seen]) -> list[str]:
    """A call stands between the beginning and the end of its run."""
    found: list[str] = []
    under_way: set[str] = set()
    for seen in log:
        event = seen.event
        if isinstance(event, IngestionRunStarted):
            under_way.add(event.run_id)
        elif isinstance(event, End):
            under_way.discard(event.run_id)
        elif isinstance(event, ApiCallRecorded) and event.run_id not in under_way:
            found.append(f"call {event.call_id} stands outside of its run {event.run_id}")
    return found


def _run_of(event: Delivered) -> str:
    return event.story_id or "" if isinstance(event, RecordKept) else event.run_id


def _deliveries(log: Sequence[Seen]) -> list[str]:
    """All of a completed run is there, and nothing of any other."""
    completed = {e.event.run_id: e.event for e in log if isinstance(e.event, IngestionRunCompleted)}
    of_run: defaultdict[str, list[Seen]] = defaultdict(list)
    for seen in log:
        if isinstance(seen.event, Delivered):
            of_run[_run_of(seen.event)].append(seen)
    found = [
        f"half a run: {len(events)} events, {events[0].event.TYPE} among them, of run {run}, which did not complete"
        for run, events in of_run.items()
        if run not in completed
    ]
    newest: Counter[str] = Counter()
    for seen in log:
        if isinstance(seen.event, DisclosureRecorded):
            newest[seen.event.record_id] = max(newest[seen.event.record_id], seen.event.version)
    for run, end in completed.items():
        found += [f"run {run}: {text}" for text in _delivery(end, of_run[run], newest)]
    return found


def _delivery(
    end: IngestionRunCompleted, delivered: Sequence[Seen], newest: Mapping[str, int]
) -> list[str]:
    events = [seen.event for seen in delivered]
    records = [e for e in events if isinstance(e, DisclosureRecorded)]
    seats = [e for e in events if isinstance(e, CommitteeMembershipRecorded)]
    kept = {(e.record_id, e.version) for e in events if isinstance(e, RecordKept)}
    changed: list[DisclosureRecorded | CommitteeMembershipRecorded] = [*records, *seats]
    changes = Counter(str(e.change).casefold() for e in changed)
    told = (end.records_created, end.records_updated)
    there = (changes["created"], changes["updated"] + changes["ended"])
    found = []
    if told != there:
        found.append(f"tells of {told} records created and updated, there are {there}")
    if end.records_fetched != sum(told) + end.records_skipped:
        found.append(f"its counts do not add up to {end.records_fetched} fetched")
    if Counter(end.ingested_record_ids) != Counter(e.record_id for e in records):
        found.append("the record ids that it names are not those that are there")
    for record in records:
        # The state topic is compacted: of a record, only the newest entry stays for sure.
        name = (record.record_id, record.version)
        if record.version == newest[record.record_id] and name not in kept:
            found.append(f"record {record.record_id} version {record.version} is not kept known")
    if strange := kept - {(e.record_id, e.version) for e in records}:
        found.append(f"{len(strange)} records are kept known and not there")
    return found + _summaries(delivered)


def _summaries(delivered: Sequence[Seen]) -> list[str]:
    """The last event of a run in a symbol's partition is its summary, and names what is there."""
    by_symbol: defaultdict[str, list[Seen]] = defaultdict(list)
    for seen in delivered:
        if isinstance(seen.event, DisclosureRecorded | SymbolDataReady) and seen.event.symbol:
            by_symbol[seen.event.symbol].append(seen)
    found = []
    for symbol, events in by_symbol.items():
        *records, last = (seen.event for seen in sorted(events, key=lambda seen: seen.offset))
        named = [r.event_id for r in last.records] if isinstance(last, SymbolDataReady) else None
        if named != [event.event_id for event in records]:
            found.append(
                f"the summary of {symbol} is missing, not the last, or names other records"
            )
        if len({seen.place for seen in events}) > 1:
            found.append(f"{symbol} stands in several partitions")
    return found


def _repeats(log: Sequence[Seen]) -> list[str]:
    """No event is there twice; a configuration is told at each start, the same fact again."""
    ids = Counter(
        seen.event.event_id for seen in log if not isinstance(seen.event, ConfigurationRecorded)
    )
    return [f"event {name} is in the log {count} times" for name, count in ids.items() if count > 1]


def _versions(log: Sequence[Seen]) -> list[str]:
    """The versions of a record are 1, 2, 3 …, each once."""
    versions: defaultdict[str, list[int]] = defaultdict(list)
    found = []
    for seen in log:
        event = seen.event
        if isinstance(event, DisclosureRecorded):
            versions[event.record_id].append(event.version)
            if (event.change is RecordChange.CREATED) != (event.version == 1):
                found.append(f"record {event.record_id} version {event.version} is {event.change}")
    return found + [
        f"record {record} has the versions {sorted(numbers)}"
        for record, numbers in versions.items()
        if sorted(numbers) != list(range(1, len(numbers) + 1))
    ]


def newest_contents(log: Sequence[Seen], start: date, end: date) -> dict[str, Counter[str]]:
    """Return what the newest versions of the records reported from ``start`` to ``end`` say, by data source."""
    newest: dict[str, DisclosureRecorded] = {}
    sources = {
        seen.event.run_id: seen.event.data_source
        for seen in log
        if isinstance(seen.event, IngestionRunStarted)
    }
    for seen in log:
        event = seen.event
        if isinstance(event, DisclosureRecorded):
            known = newest.get(event.record_id)
            if known is None or event.version > known.version:
                newest[event.record_id] = event
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in newest.values():
        if record.reported_on is not None and start <= record.reported_on <= end:
            found[sources.get(record.run_id, "?")][content_of(record.source_fields)] += 1
    return found


def lost_or_invented(
    source: str, told: Counter[str], served: Counter[str], before: Counter[str]
) -> list[str]:
    """Compare what the log says of some days with what the vendor serves now, and ever served ``before``.

    A row that vanished without a successor stays in the log; nothing else may be there that is not served.
    """
    lost, extra = served - told, told - served
    found = [f"{source}: {n} times lost: {content}" for content, n in lost.items()]
    found += [
        f"{source}: {n} times in the log, and never served: {content}"
        for content, n in extra.items()
        if n + served[content] > before[content]
    ]
    return found


def differences(log: Sequence[Seen], reference: Sequence[Seen]) -> list[str]:
    """Return where the log holds other records, versions and summaries than an undisturbed walk's."""
    one, other = _identity(log), _identity(reference)
    found = [f"missing, an undisturbed walk has it: {name}" for name in sorted(other - one)]
    return found + [f"too much, no undisturbed walk has it: {name}" for name in sorted(one - other)]


def _identity(log: Iterable[Seen]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for seen in log:
        event: Any = seen.event
        if isinstance(event, DisclosureRecorded):
            facts: tuple[str, ...] = (event.record_id, str(event.version), event.content_hash)
        elif isinstance(event, DisclosureWithdrawn | SymbolDataReady | CommitteeMembershipRecorded):
            facts = ()
        else:
            continue
        found.add((event.TYPE.rpartition(".")[2], event.event_id, event.symbol or "", *facts))
    return found


@dataclass(frozen=True, slots=True)
class Claim:
    """What one disturbed process must have left in the log, found out once the log is whole.

    ``asked``: it asked the vendor, so its beginning is on record. ``silent_from``: it woke when another had taken over,
    so nothing of it stands at or after these offsets. ``says_its_end``: it was asked to stop, so it ended its own run.
    """

    instance: str
    asked: bool = False
    silent_from: Mapping[Place, int] | None = None
    says_its_end: bool = False


def broken_claims(log: Sequence[Seen], claims: Iterable[Claim]) -> list[str]:
    """Return the claims that the log contradicts."""
    begun: defaultdict[str, set[str]] = defaultdict(set)
    ended_by: dict[str, str] = {}
    by_instance: defaultdict[str, list[Seen]] = defaultdict(list)
    for seen in log:
        by_instance[seen.event.instance].append(seen)
        if isinstance(seen.event, IngestionRunStarted):
            begun[seen.event.instance].add(seen.event.run_id)
        elif isinstance(seen.event, End):
            ended_by[seen.event.run_id] = seen.event.instance
    found = []
    for claim in claims:
        name = claim.instance
        if claim.asked and not begun[name]:
            found.append(f"{name} asked the vendor, and its beginning is not on record")
        if claim.says_its_end and (left := {r for r in begun[name] if ended_by.get(r) != name}):
            found.append(f"{name} was asked to stop, and left {sorted(left)} open")
        if claim.silent_from is not None:
            late = [
                f"{seen.event.TYPE} at {seen.topic}/{seen.partition}/{seen.offset}"
                for seen in by_instance[name]
                if seen.offset >= claim.silent_from.get(seen.place, 0)
            ]
            found += [f"{name} woke and wrote {text}" for text in late]
    return found
