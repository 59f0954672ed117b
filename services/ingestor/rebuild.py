"""Make the state topic again from the records of the log, or tell how they differ (``--rebuild-state``).

The state is derived: each record's entry is a function of its newest DisclosureRecorded, wherever that stands. Both
data sources are locked meanwhile, so that no run writes either. Only what differs is written. Should an event of the
log not be readable, no entry is deleted: it may be that event's.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import structlog
from confluent_kafka import Message

from services.ingestor.known.ledger import identity_of
from services.ingestor.parts import Parts
from services.ingestor.recording.delivery import kept_event
from services.ingestor.recording.journal import Journal
from services.ingestor.recording.lock import SourceLock
from services.ingestor.rows.records import (
    FetchedRow,
    congress_records,
    insider_records,
    occurrence_of,
)
from services.ingestor.runs.once import commanded
from services.ingestor.settings import IngestorSettings
from services.ingestor.tasks import Kind, task_of
from tradetrail.events.generated import DisclosureRecorded, RecordKept, RecordKind
from tradetrail.log.codec import BadEvent
from tradetrail.log.follower import Follower
from tradetrail.log.producer import Outgoing
from tradetrail.process import EXIT_FAILED, EXIT_OK
from tradetrail.settings import SharedSettings

# Entries of one transaction: small enough for its 60 s, large enough to be quick. Cut off between two, the rest is
# found missing next time.
_ENTRIES_MAX = 5_000
# Serving a lock's membership costs microseconds; it must be done well within the group's poll interval of 300 s.
_KEEP_EVERY = 1_000

_READERS = {RecordKind.CONGRESS: congress_records, RecordKind.INSIDER: insider_records}
_SOURCES = {
    RecordKind.CONGRESS: task_of(Kind.CONGRESS).data_source,
    RecordKind.INSIDER: task_of(Kind.INSIDER).data_source,
}

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Difference:
    """How the state topic differs from the records of the log, in numbers of records.

    ``missing`` records have no entry, ``wrong`` ones another than the log's, ``superfluous`` entries no record.
    ``unreadable`` events of the log could not be read. ``by_other_rules``: records whose hash is not what today's
    rules make of their row; it is kept, and their number among equal rows is given as 0.
    """

    records: int = 0
    missing: int = 0
    wrong: int = 0
    superfluous: int = 0
    unreadable: int = 0
    by_other_rules: int = 0

    @property
    def total(self) -> int:
        """Return how many entries differ."""
        return self.missing + self.wrong + self.superfluous

    def __str__(self) -> str:
        """Return it as one line."""
        return (
            f"{self.records} records in the log; state entries: {self.missing} missing, {self.wrong} wrong, "
            f"{self.superfluous} superfluous; {self.unreadable} events unreadable, {self.by_other_rules} records "
            "hashed by other rules"
        )


def rebuild_state(parts: Parts, *, dry_run: bool) -> Difference:
    """Bring the state topic to what the log's records say; with ``dry_run`` only tell the difference.

    Memory: about a kilobyte a record. Raises AlreadyRunning while a run holds a lock, Retryable while the log is away.
    """
    with ExitStack() as held:
        return _Rebuild(parts, held).execute(dry_run=dry_run)


def rebuild(
    settings: SharedSettings, own: IngestorSettings, stop: threading.Event, *, dry_run: bool
) -> int:
    """Rebuild and print what differed; return the exit code, 1 when a difference is left or a run is under way."""

    def work(parts: Parts) -> int:
        found = rebuild_state(parts, dry_run=dry_run)
        sys.stdout.write(f"{found}{'' if dry_run or not found.total else '; mended'}\n")
        return EXIT_FAILED if dry_run and found.total else EXIT_OK

    return commanded(settings, own, stop, work)


class _Rebuild:
    """One rebuild under both locks."""

    def __init__(self, parts: Parts, held: ExitStack) -> None:
        self._parts = parts
        self._locks: list[SourceLock] = []
        self._journals: list[Journal] = []
        self._found = Difference()
        for source in sorted(_SOURCES.values()):
            lock = SourceLock(parts.settings, parts.topics, source, parts.own.lock_wait_s)
            self._locks.append(held.enter_context(lock))
            self._journals.append(Journal(parts.settings, parts.codec, lock))

    def execute(self, *, dry_run: bool) -> Difference:
        wanted = self._records()
        entries = self._entries()
        found, outputs = self._found, []
        found.records = len(wanted)
        for record_id in sorted(wanted):
            digest = entries.pop(record_id, None)
            if digest == _digest(wanted[record_id]):
                continue
            found.missing += digest is None
            found.wrong += digest is not None
            outputs.append(self._outgoing(record_id, wanted[record_id]))
        if entries and found.unreadable:
            log.warning("entries without a readable record are left", entries=len(entries))
        else:
            found.superfluous = len(entries)
            outputs += [self._outgoing(record_id, None) for record_id in sorted(entries)]
        if not dry_run:
            self._write(outputs)
        return found

    def _records(self) -> dict[str, RecordKept]:
        """Return the entry of the newest version of every record in the log."""
        newest: dict[str, RecordKept] = {}
        topics = self._parts.topics
        for message in self._messages([*topics.trade(), topics.runs]):
            try:
                event = self._disclosure(message)
                known = newest.get(event.record_id) if event else None
                if event is not None and (known is None or known.version < event.version):
                    newest[event.record_id] = self._entry(event)
            except (BadEvent, ValueError) as error:
                self._found.unreadable += 1
                log.error(
                    "a record of the log can't be read",
                    topic=message.topic(),
                    partition=message.partition(),
                    offset=message.offset(),
                    error=str(error),
                )
        return newest

    def _disclosure(self, message: Message) -> DisclosureRecorded | None:
        codec, value = self._parts.codec, message.value()
        if codec.envelope(value)[0] != DisclosureRecorded.TYPE:
            return None
        event = codec.decode(value).event
        return event if isinstance(event, DisclosureRecorded) else None

    def _entry(self, event: DisclosureRecorded) -> RecordKept:
        if event.kind not in _SOURCES:
            raise ValueError(f"record {event.record_id} is of a kind this version doesn't know")
        source = _SOURCES[event.kind]
        row = FetchedRow(event.api_call_id, event.row_number, json.loads(event.source_fields))
        (record,) = _READERS[event.kind]([row])
        number = occurrence_of(source, record, event.content_hash)
        if number is None:
            self._found.by_other_rules += 1
        return kept_event(event, source, identity_of(replace(record, occurrence=number or 0)))

    def _entries(self) -> dict[str, bytes]:
        """Return what tells one entry of the state topic from another, by record id."""
        entries: dict[str, bytes] = {}
        for message in self._messages([self._parts.topics.ingestor_state]):
            record_id = (message.key() or b"").decode(errors="replace")
            if message.value() is None:
                entries.pop(record_id, None)
                continue
            try:
                event = self._parts.codec.decode(message.value()).event
                entries[record_id] = _digest(event) if isinstance(event, RecordKept) else b""
            except BadEvent:
                entries[record_id] = b""
        return entries

    def _messages(self, topics: list[str]) -> Iterator[Message]:
        follower = Follower(self._parts.settings, topics)
        try:
            for number, message in enumerate(follower.catch_up()):
                if number % _KEEP_EVERY == 0:
                    for lock in self._locks:
                        lock.keep()
                yield message
        finally:
            follower.close()

    def _outgoing(self, record_id: str, entry: RecordKept | None) -> Outgoing:
        return Outgoing(self._parts.topics.ingestor_state, record_id, entry)

    def _write(self, outputs: list[Outgoing]) -> None:
        # Which source's journal writes makes no difference: both locks are held.
        for start in range(0, len(outputs), _ENTRIES_MAX):
            self._journals[0].deliver(outputs[start : start + _ENTRIES_MAX])


def _digest(entry: RecordKept) -> bytes:
    return hashlib.sha256(repr(entry).encode(errors="backslashreplace")).digest()
