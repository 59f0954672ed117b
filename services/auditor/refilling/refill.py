"""Fills an audit schema from the log again, by the code that audits it live: decode, project, ``Store``.

Reads partitions by assignment: joins no group, commits no offset, publishes nothing. What the log no longer holds
(below a partition's low watermark, or compacted away) comes from the ``events`` of the schema named as origin: exact
bytes and position, so the same code reads them. An event that went to dead letters stays there, for the reason recorded
then, also when today's version or registry could read it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from services.auditor.entry import Entry, NotStorable
from services.auditor.reading.decoder import Decoder
from services.auditor.refilling.kept import Kept
from services.auditor.settings import AuditorSettings
from services.auditor.writing.store import Batch, Store
from tradetrail.errors import Fatal, Retryable
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_consumer, translate
from tradetrail.log.reader import Place, Received, read_messages, received
from tradetrail.log.straight import Form
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# Read-ahead of the client, all partitions together: bounds memory, holds a few batches.
_READ_AHEAD_KBYTES = 32 << 10
# While a server is away the same step is tried again, for so long without any batch between: a restart of all of them.
GIVE_UP_AFTER_S = 180.0
_RETRY_FIRST_S = 0.1
_RETRY_MAX_S = 5.0

Moved = Callable[[Place, int], None]
"""Hears, after each batch, up to which offset (exclusive) a partition is in the schema."""

log = structlog.get_logger(__name__)


class Refill:
    """Fills ``schema``. Call ``to`` as often as the ends have moved: each goes on where the last one stopped.

    The schema must exist, migrated. Not thread-safe. Memory holds one batch and what the client reads ahead.
    """

    def __init__(
        self,
        shared: SharedSettings,
        settings: AuditorSettings,
        dsn: str,
        schema: str,
        *,
        origin: str,
    ) -> None:
        """Fill ``schema`` of the database at ``dsn``; ``origin`` has the events that the log lacks by now."""
        self._settings = settings
        self._topics = Topics.of(shared)
        self._compacted = frozenset(s.name for s in self._topics.specs() if s.compacted)
        self._decoder = Decoder(Codec(shared.registry_url, Form.TEXTS), self._compacted)
        self._store = Store(dsn, schema, settings.writer_role)
        self._kept = Kept(dsn, schema, origin)
        self._written = 0
        overrides: dict[str, Any] = {"queued.max.messages.kbytes": _READ_AHEAD_KBYTES}
        self._consumer: Consumer = open_consumer(shared, **overrides)

    def begin_at(self, starts: Mapping[Place, int]) -> None:
        """Let a fresh schema begin at these offsets instead of 0: what lies before them is never read."""
        self._store.positions(starts)
        self._kept.begin_at(starts)

    def positions(self) -> dict[Place, int]:
        """Return how far the schema is. Raises Retryable while the database is away."""
        return self._kept.positions()

    def to(self, ends: Mapping[Place, int], moved: Moved = lambda _place, _offset: None) -> None:
        """Fill each partition up to its end (exclusive); the schema's positions are exactly ``ends`` afterwards.

        Dead letters first: they tell what was refused. Raises Retryable when a server stays away for minutes, Fatal
        when the log ends before ``ends``, or loses its beginning meanwhile.
        """
        letters = {p: end for p, end in ends.items() if p[0] == self._topics.dead_letters}
        for part in (letters, {p: end for p, end in ends.items() if p not in letters}):
            self._persist(part, moved)

    def close(self) -> None:
        """Close all connections."""
        self._consumer.close()
        self._store.close()
        self._kept.close()

    def _persist(self, ends: Mapping[Place, int], moved: Moved) -> None:
        delay_s, before, moved_at = _RETRY_FIRST_S, -1, 0.0
        while True:
            try:
                self._fill(ends, moved)
                return
            except Retryable as error:
                if self._written != before:
                    delay_s, before, moved_at = _RETRY_FIRST_S, self._written, time.monotonic()
                if time.monotonic() - moved_at > GIVE_UP_AFTER_S:
                    raise
                log.warning("waiting to try again", error=str(error), delay_s=delay_s)
                time.sleep(delay_s)
                delay_s = min(2 * delay_s, _RETRY_MAX_S)

    def _fill(self, ends: Mapping[Place, int], moved: Moved) -> None:
        starts = self._store.positions(ends)
        left = {place: end for place, end in ends.items() if starts[place] < end}
        if not left:
            return
        extents = self._extents(left)
        if short := sorted(place for place, end in left.items() if extents[place][1] < end):
            raise Fatal(
                f"the log ends before what is audited of {short}: it lost its newest events, so nothing can be "
                "made again from it; restore it, or find out what happened to it first (tradetrail verify)"
            )
        lows = {place: low for place, (low, _) in extents.items()}
        for place, end in left.items():
            # Retention took these from the log: only the database still has them.
            while (at := starts[place]) < (gone := min(lows[place], end)):
                starts[place] = self._write_kept(place, at, gone)
                moved(place, starts[place])
        for place in sorted(p for p in left if p[0] in self._compacted):
            self._fill_compacted(place, starts[place], left.pop(place), moved)
        batch = Batch()
        size = 0
        for _, _, message in read_messages(self._consumer, starts, left):
            event = received(message)
            batch.entries.append(Entry(event))
            batch.ends[event.place] = event.offset + 1
            size += _size(event)
            if self._full(batch, size):
                starts |= self._write(batch, starts, moved)
                batch, size = Batch(), 0
        # Past the transaction markers behind the last event, too.
        batch.ends = {place: end for place, end in left.items() if starts[place] < end}
        self._write(batch, starts, moved)
        self._check_beginnings(lows)

    def _fill_compacted(self, place: Place, start: int, end: int, moved: Moved) -> None:
        """Fill a partition whose topic is compacted: where the log has no event any more, the database may."""
        gathered: list[Received] = []
        size = 0
        for _, _, message in read_messages(self._consumer, {place: start}, {place: end}):
            gathered.append(event := received(message))
            size += _size(event)
            if len(gathered) >= self._settings.batch_events_max or size >= self._bytes_max:
                upto = event.offset + 1
                self._merge(place, start, upto, gathered, moved)
                start, gathered, size = upto, [], 0
        if start < end:
            self._merge(place, start, end, gathered, moved)

    def _merge(
        self, place: Place, start: int, end: int, gathered: list[Received], moved: Moved
    ) -> None:
        logged = {event.offset: event for event in gathered}
        while start < end:
            kept, upto = self._kept.read(
                place, start, end, self._settings.batch_events_max, self._bytes_max
            )
            whole = {event.offset: event for event in kept}
            whole |= {offset: event for offset, event in logged.items() if start <= offset < upto}
            entries = [Entry(whole[offset]) for offset in sorted(whole)]
            start = self._write(Batch(entries, {}, {place: upto}), {place: start}, moved)[place]

    def _write_kept(self, place: Place, start: int, end: int) -> int:
        kept, upto = self._kept.read(
            place, start, end, self._settings.batch_events_max, self._bytes_max
        )
        entries = [Entry(event) for event in kept]
        self._write(Batch(entries, {}, {place: upto}), {place: start}, lambda _place, _offset: None)
        return upto

    def _write(self, batch: Batch, starts: Mapping[Place, int], moved: Moved) -> dict[Place, int]:
        if not batch.ends:
            return {}
        batch.starts = {place: starts[place] for place in batch.ends}
        self._read(batch.entries)
        while True:
            try:
                self._store.write(batch, self._decoder.schemas)
                break
            except NotStorable as error:
                culprits = self._store.culprits(batch.entries)
                if not culprits:
                    raise Retryable(f"refused together, accepted alone: {error}") from error
                for entry, reason in culprits:
                    entry.refuse(f"the database refuses it: {reason}")
                batch.prepared = None
        self._written += 1
        for place, end in batch.ends.items():
            moved(place, end)
        return dict(batch.ends)

    def _read(self, entries: Sequence[Entry]) -> None:
        refused = self._kept.refusals(entry.place for entry in entries)
        for entry in entries:
            self._decoder.read(entry, refused.get(entry.place))

    def _full(self, batch: Batch, size: int) -> bool:
        return len(batch.entries) >= self._settings.batch_events_max or size >= self._bytes_max

    @property
    def _bytes_max(self) -> int:
        return self._settings.batch_bytes_max

    def _extents(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """Return where the log begins and ends now."""
        found = {}
        for place in places:
            try:
                answer = self._consumer.get_watermark_offsets(
                    TopicPartition(*place), timeout=REQUEST_TIMEOUT_S
                )
            except KafkaException as error:
                raise translate(error, f"asking where {place} begins and ends") from error
            if answer is None:
                raise Retryable(f"Kafka did not tell in time where {place} begins and ends")
            found[place] = answer
        return found

    def _check_beginnings(self, lows: Mapping[Place, int]) -> None:
        if lost := [p for p, (low, _) in self._extents(lows).items() if low > lows[p]]:
            raise Fatal(
                f"the log lost its beginning in {lost} while it was read (retention): run it again, which takes those "
                "events from the database"
            )


def _size(event: Received) -> int:
    return len(event.value or b"") + len(event.key or b"")
