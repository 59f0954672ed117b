"""The read-process-write loop that transactional services share.

Steps, in order: take what was assigned, poll, decode, process, commit. Outputs and consumed offsets commit in one
transaction or not at all. A partition just assigned, and each one after an abort, is *wanted*: before anything of it is
processed, the processor builds its view as of the committed offset and reading goes on from there. That step is tried
again until it succeeds; meanwhile the loop is not ready.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tradetrail.errors import Fatal, Poison, Retryable
from tradetrail.log.codec import Codec
from tradetrail.log.entry import Entry, read_entry
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_consumer, translate
from tradetrail.log.loop_metrics import STEP_SECONDS
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.log.reader import Place, Received, received
from tradetrail.settings import SharedSettings

# A batch is one transaction: large enough to spread its cost, small enough to redo in a moment.
BATCH_MAX = 200
POLL_TIMEOUT_S = 0.25
# Offsets that moved without an output are committed this often, so that lag is visible and a restart is cheap.
OFFSETS_EVERY_S = 0.5
# After a failure that may pass: long enough not to spin, short enough not to be missed.
PAUSE_AFTER_FAILURE_S = 0.5
# Leaving takes a few answers of the broker. Whoever gets none is expelled when its session ends, and what it had open
# is aborted: a process that must end loses nothing by not waiting longer.
LEAVE_TIMEOUT_S = 15.0

log = structlog.get_logger(__name__)


class Processor(Protocol):
    """What a service does with its partitions. All calls come from the loop's one thread."""

    def take(self, committed: dict[Place, int]) -> None:
        """Build the views of these partitions as of their committed offsets (-1: none yet).

        Comes again for the same partitions after it raised Retryable.
        """

    def forget(self, places: Sequence[Place]) -> None:
        """Drop the views of partitions that are gone or will be built again."""

    def process(self, batch: Sequence[Entry]) -> Sequence[Outgoing]:
        """Return the outputs of a batch, in order. May wait within its own limits; must not commit anything."""


class TransactionalLoop:
    """Runs a processor on the partitions its group gives it."""

    def __init__(
        self,
        settings: SharedSettings,
        codec: Codec,
        processor: Processor,
        *,
        group: str,
        topics: Sequence[str],
        transactional_id: str,
        stop: threading.Event,
        passing: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare the loop; nothing is joined or fenced before ``run``.

        ``passing`` is for tests of crashes: it hears when partitions are taken, and each step of a batch with outputs.
        """
        self._codec = codec
        self._processor = processor
        self._topics = list(topics)
        self._stop = stop
        self._passing = passing
        self._consumer = open_consumer(settings, group)
        self._producer = TransactionalProducer(settings, codec, transactional_id)
        self._wanted: set[Place] = set()
        self._positions: dict[Place, int] = {}
        self._unsaved_since: float | None = None
        self._published: dict[str, int] = {}
        self._trouble: str | None = None

    @property
    def positions(self) -> dict[str, int]:
        """Next offset per "topic/partition"; all before it is processed and its outputs committed.

        Safe to read from other threads.
        """
        return self._published

    @property
    def trouble(self) -> str | None:
        """Say why nothing is processed at the moment; None while all is well. Safe to read from other threads."""
        return self._trouble

    def run(self) -> None:
        """Loop until asked to stop, always ending at a message boundary.

        Raises Fatal when this process can't go on (fenced, refused); the next start is a normal start.
        """
        self._producer.start()
        self._consumer.subscribe(
            self._topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )
        try:
            while not self._stop.is_set():
                self._step()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Leave the group; not longer than ``LEAVE_TIMEOUT_S``, which the client itself does not bound."""
        leaving = threading.Thread(
            target=self._consumer.close, name="leaving the group", daemon=True
        )
        leaving.start()
        leaving.join(LEAVE_TIMEOUT_S)
        if leaving.is_alive():
            log.warning(
                "left the group without a word: its broker does not answer", topics=self._topics
            )

    def _step(self) -> None:
        try:
            self._take_wanted()
            batch = self._poll()
            polled_s, polled_at = time.monotonic(), time.time()
            outputs = self._processor.process(batch) if batch else ()
            processed_s = time.monotonic()
            self._commit(outputs)
            if outputs:
                appended_at = batch[0].message.appended_at.timestamp()
                STEP_SECONDS.labels("delivery").observe(max(0.0, polled_at - appended_at))
                STEP_SECONDS.labels("process").observe(processed_s - polled_s)
                STEP_SECONDS.labels("commit").observe(time.monotonic() - processed_s)
            self._publish()
            self._trouble = None
        except Retryable as error:
            if self._stop.is_set():
                # What was not committed is done again at the next start.
                return
            self._trouble = str(error)
            log.warning("will be done again", error=str(error))
            self._want(self._positions)
            self._stop.wait(PAUSE_AFTER_FAILURE_S)
        except Poison as error:
            raise Fatal(f"an output of ours can't be sent, now or later: {error}") from error

    def _want(self, places: Iterable[Place]) -> None:
        """Begin these partitions anew from their committed offsets, before anything more of them is processed."""
        places = list(places)
        self._processor.forget([place for place in places if place in self._positions])
        for place in places:
            self._positions.pop(place, None)
        self._wanted.update(places)
        if not self._positions:
            self._unsaved_since = None

    def _take_wanted(self) -> None:
        if not self._wanted:
            return
        committed = self._committed(sorted(self._wanted))
        self._processor.take(committed)
        # Known from here on, so that a failure below forgets what was just built.
        self._positions.update({place: max(offset, 0) for place, offset in committed.items()})
        self._wanted.clear()
        try:
            # Taken away and given back to ourselves: works whatever state the fetching was in, unlike seeking.
            self._consumer.incremental_unassign([TopicPartition(*place) for place in committed])
            self._consumer.incremental_assign(
                [TopicPartition(t, p, max(offset, 0)) for (t, p), offset in committed.items()]
            )
        except KafkaException as error:
            raise translate(error, "going to the committed offsets") from error
        log.info("partitions taken", committed={f"{t}/{p}": o for (t, p), o in committed.items()})
        self._pass("taken")

    def _poll(self) -> list[Entry]:
        first = self._consumer.poll(POLL_TIMEOUT_S)
        if first is None:
            return []
        # The client would wait to fill a batch; what is already here is enough.
        messages = [first, *self._consumer.consume(BATCH_MAX - 1, timeout=0)]
        batch = []
        for message in messages:
            place = (message.topic() or "", message.partition() or 0)
            if error := message.error():
                if error.code() == KafkaError._PARTITION_EOF:
                    self._advance(place, message.offset() or 0)
                elif error.fatal():
                    raise Fatal(f"reading {place}: {error.str()}")
                else:
                    log.warning("reading is disturbed", place=place, error=error.str())
            elif place in self._positions:
                batch.append(self._decode(received(message)))
                self._advance(place, (message.offset() or 0) + 1)
        return batch

    def _decode(self, message: Received) -> Entry:
        entry = read_entry(self._codec, message)
        if entry.bad is not None:
            log.error(
                "skipping an event that can't be read",
                topic=message.topic,
                partition=message.partition,
                offset=message.offset,
                code=entry.bad.code,
                error=str(entry.bad),
            )
        return entry

    def _advance(self, place: Place, next_offset: int) -> None:
        if self._positions.get(place, next_offset) != next_offset:
            self._positions[place] = next_offset
            if self._unsaved_since is None:
                self._unsaved_since = time.monotonic()

    def _commit(self, outputs: Sequence[Outgoing]) -> None:
        waited = self._unsaved_since is not None and (
            time.monotonic() - self._unsaved_since >= OFFSETS_EVERY_S
        )
        if not outputs and not waited:
            return
        # Offsets alone have no steps of their own.
        passing = self._passing if outputs else None
        if outputs:
            self._pass("before_commit")
        self._producer.commit(
            outputs, consumer=self._consumer, offsets=dict(self._positions), passing=passing
        )
        self._unsaved_since = None
        if outputs:
            self._pass("committed")

    def _pass(self, step: str) -> None:
        if self._passing is not None:
            self._passing(step)

    def _publish(self) -> None:
        self._published = {f"{t}/{p}": offset for (t, p), offset in self._positions.items()}

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign([TopicPartition(tp.topic, tp.partition) for tp in partitions])
        self._wanted.update((tp.topic, tp.partition) for tp in partitions)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Between two polls nothing is in flight: outputs were committed with their offsets, or not at all.
        places = [(tp.topic, tp.partition) for tp in partitions]
        self._want(places)
        self._wanted.difference_update(places)
        consumer.incremental_unassign(partitions)
        self._publish()
        log.info("partitions given away", places=places)

    def _committed(self, places: Sequence[Place]) -> dict[Place, int]:
        """Return the committed offset of each place, -1 where there is none."""
        try:
            found = self._consumer.committed(
                [TopicPartition(*place) for place in places], timeout=REQUEST_TIMEOUT_S
            )
            if failed := [tp for tp in found if tp.error is not None]:
                raise KafkaException(failed[0].error)
        except KafkaException as error:
            doing = (
                "reading committed offsets (they wait for the end of a transaction that moves them)"
            )
            raise translate(error, doing) from error
        return {(tp.topic, tp.partition): max(tp.offset, -1) for tp in found}
