"""The Kafka edge: which partitions we hold, from where we read them, and batches out of them.

The database's positions rule; Kafka's committed offsets are a hint for others to see. Messages of a partition are
ignored until its position was read from the database and the partition was sought there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.auditor.progress import Progress
from tradetrail.errors import Fatal, Retryable
from tradetrail.log.kafka import open_consumer, translate
from tradetrail.log.reader import Place, Received, received
from tradetrail.settings import SharedSettings

# How long an idle poll waits; also how soon a stop is noticed.
IDLE_POLL_S = 0.25
# Taken from the client at once: enough to be fast, few enough to keep to the batch's limit in bytes.
_CHUNK = 1_000
# Read-ahead of the client, all partitions together: bounds memory, holds about a batch.
_READ_AHEAD_KBYTES = 16 << 10
# New topics (another symbol group) are found within this.
_METADATA_REFRESH_MS = 10_000

PositionReader = Callable[[Iterable[Place]], dict[Place, int]]

log = structlog.get_logger(__name__)


class Source:
    """Reads every topic as a member of the auditors' group."""

    def __init__(
        self,
        settings: SharedSettings,
        topics: list[str],
        read_positions: PositionReader,
        progress: Progress,
    ) -> None:
        """Join nothing yet; ``read_positions`` asks the database."""
        self._read_positions = read_positions
        self._progress = progress
        self._topics = topics
        self.positions: dict[Place, int] = {}
        self._unpositioned: set[Place] = set()
        self._paused = False
        self._disturbance: str | None = None
        self._consumer: Consumer = open_consumer(
            settings,
            f"{settings.topic_prefix}auditor",
            **{
                "queued.max.messages.kbytes": _READ_AHEAD_KBYTES,
                "topic.metadata.refresh.interval.ms": _METADATA_REFRESH_MS,
                "allow.auto.create.topics": False,
                "error_cb": self._disturbed,
            },
        )

    def join(self) -> None:
        """Join the group."""
        self._consumer.subscribe(
            self._topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(
        self, events_max: int, bytes_max: int, wait_s: float
    ) -> tuple[list[Received], dict[Place, int]]:
        """Return events in order per partition, and where each partition's reading now stands.

        The second part also moves without events, past what transactions leave in the log. Waits ``IDLE_POLL_S`` for
        the first event and ``wait_s`` for more. Raises Retryable while positions can't be read.
        """
        self._position()
        first = self._consumer.poll(IDLE_POLL_S)
        if first is None:
            self._check_brokers()
            return [], {}
        self._disturbance = None
        events: list[Received] = []
        ends: dict[Place, int] = {}
        size = self._take([first], events, ends)
        deadline = time.monotonic() + wait_s
        while len(events) < events_max and size < bytes_max:
            room = min(_CHUNK, events_max - len(events))
            messages = self._consumer.consume(room, timeout=max(0.0, deadline - time.monotonic()))
            size += self._take(messages, events, ends)
            if len(messages) < room and time.monotonic() >= deadline:
                break
        return events, ends

    def keep_alive(self) -> None:
        """Serve the group without taking events: everything is paused. Call while a batch waits."""
        message = self._consumer.poll(0)
        if message is None:
            return
        # It slipped past the pause and would be lost to us: read its partition again from its position.
        place = (message.topic() or "", message.partition() or 0)
        if place in self.positions:
            self._unpositioned.add(place)

    def pause(self) -> None:
        """Stop delivery of all partitions, also of those that are assigned meanwhile."""
        self._paused = True
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Go on with delivery."""
        self._paused = False
        self._consumer.resume(self._consumer.assignment())

    def advance(self, ends: dict[Place, int]) -> None:
        """Note that the database holds everything before ``ends``, and hint so to Kafka."""
        held = {place: end for place, end in ends.items() if place in self.positions}
        self.positions.update(held)
        self._progress.hold(self.positions)
        if not held:
            return
        try:
            self._consumer.commit(offsets=list(_places(held)), asynchronous=True)
        except KafkaException as error:
            log.info("the offset hint was not taken", error=str(error))

    def reposition(self) -> None:
        """Forget what we knew of the database's positions; the next poll reads them again and seeks there."""
        self._unpositioned.update(self.positions)

    def holds(self, place: Place) -> bool:
        """Tell whether we still hold a partition."""
        return place in self.positions

    def close(self) -> None:
        """Leave the group, with the offsets committed as a last hint."""
        try:
            if self.positions:
                self._consumer.commit(offsets=list(_places(self.positions)), asynchronous=False)
        except KafkaException as error:
            log.info("the last offset hint was not taken", error=str(error))
        finally:
            self._consumer.close()

    def _disturbed(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._disturbance = error.str()

    def _check_brokers(self) -> None:
        # Without events nothing else would tell that the brokers are back, or that the silence is not an empty log.
        if self._disturbance is None or not self.positions:
            return
        try:
            place = next(iter(self.positions))
            self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=1.0)
        except KafkaException as error:
            raise translate(error, "no Kafka broker answers") from error
        self._disturbance = None

    def _take(self, messages: list[Message], events: list[Received], ends: dict[Place, int]) -> int:
        size = 0
        for message in messages:
            place = (message.topic() or "", message.partition() or 0)
            if error := message.error():
                self._trouble(place, error, message, ends)
                continue
            event = received(message)
            self._progress.saw_end(place, event.offset + 1)
            expected = ends.get(place, self.positions.get(place))
            if place in self._unpositioned or expected is None or event.offset < expected:
                continue
            events.append(event)
            ends[place] = event.offset + 1
            size += len(event.value or b"") + len(event.key or b"")
        return size

    def _trouble(
        self, place: Place, error: KafkaError, message: Message, ends: dict[Place, int]
    ) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            # Nothing readable lies before the end, so the position may move there, past transaction markers.
            end = message.offset() or 0
            if place not in self._unpositioned and place in self.positions:
                ends[place] = max(end, ends.get(place, self.positions[place]))
                self._progress.saw_end(place, end)
        elif error.fatal():
            raise Fatal(f"reading {place} failed for good: {error.str()}; restart the auditor")
        else:
            log.warning("reading is disturbed", place=place, error=error.str())

    def _position(self) -> None:
        if not self._unpositioned:
            return
        wanted = sorted(self._unpositioned)
        found = self._read_positions(wanted)
        try:
            # Taken away and given back to ourselves: works whatever state the fetching was in, unlike seeking.
            self._consumer.incremental_unassign(list(_places(dict.fromkeys(wanted, 0))))
            self._consumer.incremental_assign(list(_places(found)))
        except KafkaException as error:
            raise translate(error, f"going to the database's positions of {wanted}") from error
        self.positions.update(found)
        self._unpositioned.clear()
        self._progress.hold(self.positions)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        wanted = [(tp.topic, tp.partition) for tp in partitions]
        found: dict[Place, int] = dict.fromkeys(wanted, 0)
        try:
            found = self._read_positions(wanted)
            self.positions.update(found)
        except Retryable as error:
            log.warning("positions can't be read yet", error=str(error))
            self._unpositioned.update(wanted)
        consumer.incremental_assign(list(_places(found)))
        if self._paused:
            # Only then is there a resume to come. What has no position yet is passed over by ``_take`` anyway.
            consumer.pause(partitions)
        self._progress.hold(self.positions)
        log.info("partitions taken", positions={f"{t}/{p}": o for (t, p), o in found.items()})

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Between two polls nothing is in flight; a batch that waits for the database drops what we no longer hold.
        for tp in partitions:
            self.positions.pop((tp.topic, tp.partition), None)
            self._unpositioned.discard((tp.topic, tp.partition))
        # The client would remember a pause: should the partition return later, no ``resume`` of ours would reach it.
        consumer.resume(partitions)
        consumer.incremental_unassign(partitions)
        self._progress.hold(self.positions)
        log.info("partitions given away", places=[(tp.topic, tp.partition) for tp in partitions])


def _places(offsets: dict[Place, int]) -> Iterator[TopicPartition]:
    for (topic, partition), offset in sorted(offsets.items()):
        yield TopicPartition(topic, partition, offset)
