"""The auditor: writes every event of every topic into Postgres, exactly once.

Steps, in order: poll, decode, publish dead letters, write (events, typed rows and positions in one transaction),
advance. While a server is away the batch is kept, delivery is paused, the group is kept alive, and the step that failed
is done again. Stops between batches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from services.auditor.breakpoints import reached
from services.auditor.entry import Entry, NotStorable
from services.auditor.progress import BATCH_SECONDS, EVENTS, RETRIES, Progress
from services.auditor.quarantine import Quarantine
from services.auditor.settings import AuditorSettings
from services.auditor.source import Source
from services.auditor.store import Batch, LostRace, Store
from tradetrail.errors import Retryable
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.reader import Place, Received

# Between two tries while a server is away: soon enough to resume unnoticed, at most this long so as not to hammer it.
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 5.0
# How often the group is served while waiting; well inside the session timeout.
_KEEP_ALIVE_EVERY_S = 0.1

_T = TypeVar("_T")
_R = TypeVar("_R")

log = structlog.get_logger(__name__)


class Stopped(Exception):
    """Asked to stop while a batch waits: it is dropped, nothing of it was committed."""


class Auditor:
    """The loop. One instance per process."""

    def __init__(
        self,
        settings: AuditorSettings,
        codec: Codec,
        source: Source,
        store: Store,
        quarantine: Quarantine,
        progress: Progress,
        compacted: frozenset[str],
        stop: threading.Event,
    ) -> None:
        """Audit what ``source`` reads into ``store``; a missing body is a deletion in ``compacted`` topics."""
        self._settings = settings
        self._codec = codec
        self._source = source
        self._store = store
        self._quarantine = quarantine
        self._progress = progress
        self._compacted = compacted
        self._stop = stop
        self._schemas: dict[int, tuple[str, str]] = {}

    def run(self) -> None:
        """Audit until asked to stop. Raises Fatal when this process can't go on."""
        self._source.join()
        try:
            while not self._stop.is_set():
                self.step()
        except Stopped:
            log.info("stopped while a batch waited; nothing of it was committed")
        finally:
            self._source.close()
            self._store.close()

    def step(self) -> None:
        """Take one batch through all steps."""
        events, ends = self._persist(self._poll, self._settings)
        held = self._source.positions
        moved = {place: end for place, end in ends.items() if held.get(place, end) != end}
        if not moved:
            return
        reached("polled")
        began = time.monotonic()
        entries = self._persist(self._decode, [e for e in events if e.place in moved])
        batch = Batch(entries, {place: held[place] for place in moved}, moved)
        reached("decoded")
        if self._persist(self._commit, batch):
            BATCH_SECONDS.observe(time.monotonic() - began)

    def _poll(self, settings: AuditorSettings) -> tuple[list[Received], dict[Place, int]]:
        return self._source.poll(
            settings.batch_events_max, settings.batch_bytes_max, settings.batch_wait_s
        )

    def _decode(self, events: Sequence[Received]) -> list[Entry]:
        return [self._read(event) for event in events]

    def _read(self, event: Received) -> Entry:
        if event.value is None and event.topic in self._compacted:
            return Entry(event)
        try:
            decoded = self._codec.decode(event.value)
        except BadEvent as bad:
            return Entry(event, bad=bad)
        if decoded.schema_id not in self._schemas:
            text = self._codec.writer_schema(decoded.schema_id)
            self._schemas[decoded.schema_id] = (decoded.type_name, text)
        return Entry(event, decoded)

    def _commit(self, batch: Batch) -> bool:
        """Publish dead letters and write; return whether the batch is in the database through us."""
        self._drop_given_away(batch)
        self._quarantine.publish(e for e in batch.entries if e.bad is not None and not e.published)
        for entry in batch.entries:
            entry.published = entry.bad is not None
        reached("letters_sent")
        try:
            self._store.write(batch, self._schemas)
        except LostRace as lost:
            log.warning("lost a race", error=str(lost))
            self._source.reposition()
            return False
        except NotStorable as error:
            self._refuse_culprits(batch, error)
            raise Retryable(f"an event does not fit the tables: {error}") from error
        reached("committed")
        self._source.advance(batch.ends)
        reached("advanced")
        bad = sum(entry.bad is not None for entry in batch.entries)
        EVENTS.labels("dead_lettered").inc(bad)
        EVENTS.labels("audited").inc(len(batch.entries) - bad)
        return True

    def _refuse_culprits(self, batch: Batch, error: NotStorable) -> None:
        culprits = self._store.culprits(batch.entries)
        if not culprits:
            log.warning("refused together, accepted alone; trying again", error=str(error))
        for entry, reason in culprits:
            entry.refuse(f"the database refuses it: {reason}")

    def _drop_given_away(self, batch: Batch) -> None:
        gone = {place for place in batch.ends if not self._source.holds(place)}
        if gone:
            batch.entries = [e for e in batch.entries if e.message.place not in gone]
            for place in gone:
                del batch.ends[place]
                del batch.starts[place]

    def _persist(self, step: Callable[[_T], _R], subject: _T) -> _R:
        """Do ``step`` until it succeeds; meanwhile nothing new is delivered and the group is kept alive."""
        paused = False
        delay_s = RETRY_FIRST_S
        while True:
            try:
                result = step(subject)
            except Retryable as error:
                if not paused:
                    self._source.pause()
                    paused = True
                self._wait(error, delay_s, self._source.keep_alive)
                delay_s = min(2 * delay_s, RETRY_MAX_S)
                continue
            if paused:
                self._source.resume()
            self._progress.note(None)
            return result

    def _wait(
        self, error: Retryable, delay_s: float, serve: Callable[[], None] = lambda: None
    ) -> None:
        log.warning("waiting to try again", error=str(error), delay_s=delay_s)
        RETRIES.labels(type(error.__cause__ or error).__name__).inc()
        self._progress.note(str(error))
        deadline = time.monotonic() + delay_s
        while (left := deadline - time.monotonic()) > 0:
            if self._stop.wait(min(_KEEP_ALIVE_EVERY_S, left)):
                raise Stopped
            serve()
