"""The auditor: writes every event of every topic into Postgres, exactly once.

Steps, in order: poll, decode, prepare, publish dead letters, write (events, typed rows and positions in one
transaction), advance. While a server is away the batch is kept, delivery is paused, the group is kept alive, and the
step that failed is done again. Stops between batches.

While Postgres takes a full batch, which it does in a thread of its own, the next one is polled, decoded and prepared:
each takes one core. Only this thread decides: it waits for the batch before, hears what became of it, and goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import structlog

from services.auditor.breakpoints import reached
from services.auditor.entry import Entry, NotStorable
from services.auditor.progress import BATCH_SECONDS, EVENTS, RETRIES, Progress
from services.auditor.reading.decoder import Decoder
from services.auditor.reading.quarantine import Quarantine
from services.auditor.reading.source import Source
from services.auditor.settings import AuditorSettings
from services.auditor.writing.prepared import Preparation, Prepared
from services.auditor.writing.store import Batch, LostRace, Store
from tradetrail.errors import Retryable
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


@dataclass(slots=True)
class Writing:
    """A batch on its way into the database; without ``result`` it is to be sent again."""

    batch: Batch
    began: float
    result: Future[None] | None = None


class Auditor:
    """The loop. One instance per process."""

    def __init__(
        self,
        settings: AuditorSettings,
        decoder: Decoder,
        source: Source,
        store: Store,
        quarantine: Quarantine,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        """Audit what ``source`` reads into ``store``."""
        self._settings = settings
        self._decoder = decoder
        self._source = source
        self._store = store
        self._quarantine = quarantine
        self._progress = progress
        self._stop = stop
        self._writer = ThreadPoolExecutor(1, "writer")
        self._writing: Writing | None = None

    def run(self) -> None:
        """Audit until asked to stop. Raises Fatal when this process can't go on."""
        self._source.join()
        try:
            while not self._stop.is_set():
                self.step()
            self._settle()
        except Stopped:
            log.info("stopped while a batch waited; nothing of it was committed")
        finally:
            self._writer.shutdown()
            self._source.close()
            self._store.close()

    def step(self) -> None:
        """Take one batch through all steps; a full one is written while the next is taken."""
        events, ends = self._persist(self._poll, self._settings)
        starts = self._starts(ends)
        if not starts:
            self._settle()
            return
        reached("polled")
        began = time.monotonic()
        more = self._is_full(events)
        events = [e for e in events if e.place in starts and e.offset >= starts[e.place]]
        entries, prepared = self._persist(self._decode, events)
        batch = Batch(entries, starts, {place: ends[place] for place in starts}, prepared)
        reached("decoded")
        if not self._settle():
            # It went on from a batch that came to nothing: all of it is read again.
            return
        self._writing = Writing(batch, began)
        self._persist(self._begin, self._writing)
        if not more:
            self._settle()

    def _poll(self, settings: AuditorSettings) -> tuple[list[Received], dict[Place, int]]:
        return self._source.poll(
            settings.batch_events_max, settings.batch_bytes_max, settings.batch_wait_s
        )

    def _is_full(self, events: Sequence[Received]) -> bool:
        """Tell whether a batch ended because it was full, so that more is waiting."""
        size = sum(len(event.value or b"") for event in events)
        settings = self._settings
        return len(events) >= settings.batch_events_max or size >= settings.batch_bytes_max

    def _starts(self, ends: dict[Place, int]) -> dict[Place, int]:
        """Return where each partition that moved goes on: behind what is being written, else from its position."""
        held = self._source.positions
        ahead = self._writing.batch.ends if self._writing is not None else {}
        starts = {p: max(held[p], ahead.get(p, 0)) for p in ends if p in held}
        return {place: start for place, start in starts.items() if ends[place] > start}

    def _decode(self, events: Sequence[Received]) -> tuple[list[Entry], Prepared | None]:
        """Return the entries, and what they come to in the database; None when one of them does not fit there.

        The writer meets that again: what happens then is decided when this batch's turn has come.
        """
        entries = [Entry(event) for event in events]
        preparation = Preparation()
        try:
            for entry in entries:
                self._decoder.read(entry)
                preparation.add(entry)
                # What they say takes several times the memory of their bytes, and two batches are held.
                entry.decoded = None
            return entries, preparation.done()
        except NotStorable:
            self._read_again(entries)
            return entries, None

    def _read_again(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.decoded is None and entry.bad is None:
                self._decoder.read(entry)

    def _begin(self, writing: Writing) -> Future[None]:
        """Publish dead letters, then let the batch be written."""
        batch = writing.batch
        self._drop_given_away(batch)
        self._quarantine.publish(e for e in batch.entries if e.bad is not None and not e.published)
        for entry in batch.entries:
            entry.published = entry.bad is not None
        if batch.prepared is None:
            # Its entries changed: the writer prepares it anew, out of what they say.
            self._read_again(batch.entries)
        reached("letters_sent")
        schemas = dict(self._decoder.schemas)
        writing.result = self._writer.submit(self._store.write, batch, schemas)
        return writing.result

    def _settle(self) -> bool:
        """Wait until the batch being written, if any, is in the database; return False when it never will be."""
        if self._writing is None:
            return True
        writing = self._writing
        settled = self._persist(self._finish, writing)
        self._writing = None
        if settled:
            BATCH_SECONDS.observe(time.monotonic() - writing.began)
        return settled

    def _finish(self, writing: Writing) -> bool:
        batch = writing.batch
        result, writing.result = writing.result or self._begin(writing), None
        try:
            result.result()
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
        batch.prepared = None
        self._read_again(batch.entries)
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
            batch.prepared = None

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
