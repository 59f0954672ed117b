"""The log's side: where partitions begin and end, and their events in order. Joins no group, moves nobody's offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from tradetrail.errors import Retryable
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_admin, open_consumer, translate
from tradetrail.log.reader import Place, Received, end_offsets, places_of, read_messages, received
from tradetrail.settings import SharedSettings

# Read-ahead of the client: bounds memory; a few thousand events of usual size.
_READ_AHEAD_KBYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class Extent:
    """A partition from its low watermark to the end of what is committed."""

    low: int
    end: int


class Logged:
    """Reads the log, a partition at a time, over one connection."""

    def __init__(self, settings: SharedSettings) -> None:
        """Ask nothing yet."""
        self._settings = settings
        overrides: dict[str, Any] = {"queued.max.messages.kbytes": _READ_AHEAD_KBYTES}
        self._consumer: Consumer = open_consumer(settings, **overrides)

    @property
    def cluster(self) -> str:
        """Return the id of the cluster. Raises Retryable when the broker is away."""
        try:
            found = open_admin(self._settings).list_topics(timeout=REQUEST_TIMEOUT_S)
        except KafkaException as error:
            raise translate(error, f"asking {self._settings.kafka} for its name") from error
        return str(found.cluster_id)

    def extents(self, topics: Iterable[str]) -> dict[Place, Extent]:
        """Return where each partition of ``topics`` begins and ends; those that the log lacks are left out."""
        places = places_of(self._settings, topics)
        ends = end_offsets(self._settings, places)
        return {place: Extent(self.low(place), ends[place]) for place in places}

    def hints(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return how far the auditors told Kafka that the database is; partitions without such a hint are left out."""
        group = f"{self._settings.topic_prefix}auditor"
        wanted = [TopicPartition(*place) for place in sorted(places)]
        if not wanted:
            return {}
        consumer = open_consumer(self._settings, group)
        try:
            found = consumer.committed(wanted, timeout=REQUEST_TIMEOUT_S)
        except KafkaException as error:
            raise translate(error, f"asking for the offsets of group {group}") from error
        finally:
            consumer.close()
        return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}

    def offsets_at(self, instant: datetime, places: Iterable[Place]) -> dict[Place, int | None]:
        """Return the first offset of each place that was appended at ``instant`` or later; None when there is none."""
        millis = int(instant.timestamp() * 1000)
        wanted = [TopicPartition(*place, millis) for place in sorted(places)]
        if not wanted:
            return {}
        try:
            found = self._consumer.offsets_for_times(wanted, timeout=REQUEST_TIMEOUT_S)
            if failed := [tp for tp in found if tp.error is not None]:
                raise KafkaException(failed[0].error)
        except KafkaException as error:
            raise translate(error, f"asking for the offsets at {instant}") from error
        return {
            (tp.topic, tp.partition): None if tp.offset in (OFFSET_END, -1) else tp.offset
            for tp in found
        }

    def read(self, place: Place, start: int, end: int) -> Iterator[Received]:
        """Yield the committed events of a partition from ``start`` (inclusive) to ``end`` (exclusive), in order."""
        for _, _, message in read_messages(self._consumer, {place: start}, {place: end}):
            yield received(message)

    def low(self, place: Place) -> int:
        """Return the first offset that the log still has of a partition, 0 of one that it doesn't have."""
        try:
            found = self._consumer.get_watermark_offsets(
                TopicPartition(*place), timeout=REQUEST_TIMEOUT_S
            )
        except KafkaException as error:
            if error.args[0].code() in (
                KafkaError._UNKNOWN_PARTITION,
                KafkaError.UNKNOWN_TOPIC_OR_PART,
            ):
                return 0
            raise translate(error, f"asking where {place} begins") from error
        if found is None:
            raise Retryable(f"{place}: the broker did not say where it begins; try again")
        return int(found[0])

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()
