"""Bounded reading: from here to there, once, moving nobody's offsets."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import (
    OFFSET_END,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from tradetrail.errors import Retryable
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_admin, open_consumer, translate
from tradetrail.settings import SharedSettings

# A bounded read that gets nothing for this long gives up: the broker is away or a transaction hangs. The longest
# transaction lasts 60 s (an ingestor's final one), and the broker looks for overdue ones every 10 s.
STALL_TIMEOUT_S = 90.0
READ_BATCH_MAX = 5_000
# The client waits this long to fill a batch, so it bounds what a short read costs.
_POLL_S = 0.05

Place = tuple[str, int]
"""A topic and a partition of it."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it stands in the log; ``appended_at`` is Kafka's append time, UTC."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    appended_at: datetime

    @property
    def place(self) -> Place:
        """Return topic and partition."""
        return (self.topic, self.partition)


def received(message: Message) -> Received:
    """Return a client's message as ours."""
    kind, millis = message.timestamp()
    if kind == TIMESTAMP_NOT_AVAILABLE:
        millis = 0
    return Received(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=message.key(),
        value=message.value(),
        appended_at=datetime.fromtimestamp(millis / 1000, UTC),
    )


def partition_counts(settings: SharedSettings, topics: Iterable[str]) -> dict[str, int]:
    """Return how many partitions each of ``topics`` has; topics that don't exist are left out."""
    try:
        found = open_admin(settings).list_topics(timeout=REQUEST_TIMEOUT_S).topics
    except KafkaException as error:
        raise translate(error, f"asking {settings.kafka} for its topics") from error
    return {t: len(found[t].partitions) for t in topics if t in found and not found[t].error}


def places_of(settings: SharedSettings, topics: Iterable[str]) -> list[Place]:
    """Return every partition of ``topics``, in order."""
    counts = partition_counts(settings, topics)
    return [(topic, n) for topic in counts for n in range(counts[topic])]


class LogEnds:
    """Asks for the ends of partitions, again and again over one connection.

    Not through the admin client: its answers now and then take whole seconds on an idle broker.
    """

    def __init__(self, settings: SharedSettings, *, committed_only: bool = True) -> None:
        """With ``committed_only`` an end is the last stable offset: what lies past it belongs to open transactions.

        Without, it is the high watermark.
        """
        isolation = "read_committed" if committed_only else "read_uncommitted"
        self._consumer = open_consumer(settings, **{"isolation.level": isolation})

    def read(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the offset after the last event of each place. Raises Retryable when the broker is away."""
        wanted = [TopicPartition(topic, partition, OFFSET_END) for topic, partition in places]
        if not wanted:
            return {}
        try:
            found = self._consumer.offsets_for_times(wanted, timeout=REQUEST_TIMEOUT_S)
            if failed := [tp for tp in found if tp.error is not None]:
                raise KafkaException(failed[0].error)
        except KafkaException as error:
            raise translate(error, "asking for end offsets") from error
        return {(tp.topic, tp.partition): tp.offset for tp in found}

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()


def end_offsets(
    settings: SharedSettings, places: Iterable[Place], *, committed_only: bool = True
) -> dict[Place, int]:
    """Return the offset after the last event of each place, once; see ``LogEnds``."""
    ends = LogEnds(settings, committed_only=committed_only)
    try:
        return ends.read(places)
    finally:
        ends.close()


def read_range(
    settings: SharedSettings, starts: dict[Place, int], ends: dict[Place, int], **overrides: Any
) -> Iterator[Received]:
    """Yield the events of each place from its start (inclusive) to its end (exclusive).

    Within a place in order; places interleave. Raises Retryable when nothing comes for ``STALL_TIMEOUT_S``.
    """
    if any(starts.get(place, 0) < end for place, end in ends.items()):
        consumer = open_consumer(settings, **overrides)
        try:
            for _, _, message in read_messages(consumer, starts, ends):
                yield received(message)
        finally:
            consumer.close()


def read_messages(
    consumer: Consumer, starts: Mapping[Place, int], ends: Mapping[Place, int]
) -> Iterator[tuple[Place, int, Message]]:
    """Yield what ``read_range`` does by a consumer that belongs to no group, as place, offset and the client's message.

    For readers to whom the time of making a ``Received`` matters, or who read several ranges in turn.
    """
    left = {place for place, end in ends.items() if starts.get(place, 0) < end}
    if left:
        wanted = [TopicPartition(t, p, starts.get((t, p), 0)) for t, p in sorted(left)]
        consumer.assign(wanted)
        # What an earlier range paused stays paused, also when it is assigned again.
        consumer.resume(wanted)
    heard_at = time.monotonic()
    while left:
        for message in consumer.consume(READ_BATCH_MAX, timeout=_POLL_S):
            heard_at = time.monotonic()
            place = (message.topic() or "", message.partition() or 0)
            offset = message.offset() or 0
            if error := message.error():
                if error.code() != KafkaError._PARTITION_EOF:
                    raise translate(KafkaException(error), f"reading {place}")
            elif offset < ends[place]:
                yield place, offset, message
                offset += 1
            if offset >= ends[place] and place in left:
                left.discard(place)
                consumer.pause([TopicPartition(*place)])
        if time.monotonic() - heard_at > STALL_TIMEOUT_S:
            raise Retryable(
                f"nothing came from {sorted(left)} for {STALL_TIMEOUT_S:.0f} s; is a transaction hanging?"
            )


def read_all(settings: SharedSettings, topics: Iterable[str]) -> Iterator[Received]:
    """Yield every event of ``topics`` from the beginning to their present ends."""
    places = places_of(settings, topics)
    return read_range(settings, dict.fromkeys(places, 0), end_offsets(settings, places))
