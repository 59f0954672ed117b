"""The log as anybody with a Kafka client sees it: a plain consumer, committed events only, the project's codec.

Nothing here goes through the readers that the services use.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tradetrail.events import Event
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.provision import provision
from tradetrail.settings import DEFAULT_GROUPS, SharedSettings, SymbolGroup
from tradetrail.stack.local import LocalStack

# A local broker answers in milliseconds; just restarted, in seconds.
_REQUEST_TIMEOUT_S = 30.0
# A transaction that a killed broker has to end on its return takes that long at most.
READ_TIMEOUT_S = 60.0
_BATCH_MAX = 2_000

Place = tuple[str, int]
"""A topic and a partition of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One committed event and where it stands."""

    topic: str
    partition: int
    offset: int
    event: Event

    @property
    def place(self) -> Place:
        """Return topic and partition."""
        return (self.topic, self.partition)


class LogReader:
    """Reads the events of some topics that were committed since the last time.

    Raises BadEvent for a value that nobody can read, unless ``unreadable`` collects where those stand.
    """

    def __init__(
        self,
        kafka: str,
        registry_url: str,
        topics: Sequence[str],
        unreadable: list[tuple[Place, int]] | None = None,
    ) -> None:
        """Begin at the beginning."""
        self._unreadable = unreadable
        self._kafka = kafka
        self._codec = Codec(registry_url)
        self._topics = list(topics)
        self._next: dict[Place, int] = {}

    def more(self) -> list[Seen]:
        """Return what is new, place by place in order, once no transaction hides anything.

        Raises TimeoutError when one hangs, or the broker does not answer, for ``READ_TIMEOUT_S``.
        """
        ends = self.ends()
        found: list[Seen] = []
        consumer = _open(self._kafka, "read_committed")
        deadline = time.monotonic() + READ_TIMEOUT_S
        try:
            starts = {place: self._next.get(place, 0) for place in ends}
            consumer.assign([TopicPartition(*place, start) for place, start in starts.items()])
            behind = {place for place, end in ends.items() if starts[place] < end}
            while behind:
                for message in consumer.consume(_BATCH_MAX, timeout=0.1):
                    place = (str(message.topic()), int(message.partition() or 0))
                    offset, value = int(message.offset() or 0), message.value()
                    error = message.error()
                    if error is None:
                        self._next[place] = offset + 1
                        if value is not None:
                            found += self._decoded(place, offset, value)
                    elif error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    if (offset if error else offset + 1) >= ends[place]:
                        self._next[place] = max(self._next.get(place, 0), ends[place])
                        behind.discard(place)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"a transaction hides the ends of {sorted(behind)}")
        finally:
            consumer.close()
        return sorted(found, key=lambda seen: (seen.topic, seen.partition, seen.offset))

    def _decoded(self, place: Place, offset: int, value: bytes) -> list[Seen]:
        try:
            return [Seen(*place, offset, self._codec.decode(value).event)]
        except BadEvent:
            if self._unreadable is None:
                raise
            self._unreadable.append((place, offset))
            return []

    def ends(self) -> dict[Place, int]:
        """Return the offset after all that was ever written to each place, committed or not."""
        consumer = _open(self._kafka, "read_uncommitted")
        try:
            known = consumer.list_topics(timeout=_REQUEST_TIMEOUT_S).topics
            places = [(t, number) for t in self._topics for number in known[t].partitions]
            return {
                place: consumer.get_watermark_offsets(TopicPartition(*place), _REQUEST_TIMEOUT_S)[1]
                for place in places
            }
        finally:
            consumer.close()


class Tail:
    """Follows the committed events of some topics from their beginning; for who waits, not for who judges."""

    def __init__(self, kafka: str, codec: Codec, places: Sequence[Place]) -> None:
        """Begin at the beginning."""
        self._codec = codec
        self._consumer = _open(kafka, "read_committed")
        self._consumer.assign([TopicPartition(*place, 0) for place in places])

    def more(self, timeout_s: float) -> list[Event]:
        """Return what came, after waiting that long at most; nothing while the broker is away."""
        events = []
        for message in self._consumer.consume(_BATCH_MAX, timeout=timeout_s):
            value = message.value()
            if message.error() is None and value is not None:
                events.append(self._codec.decode(value).event)
        return events

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()


def _open(kafka: str, isolation: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "a-campaigns-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )


def new_log(
    stack: LocalStack,
    prefix: str,
    codec: Codec | None = None,
    groups: tuple[SymbolGroup, ...] = DEFAULT_GROUPS,
) -> SharedSettings:
    """Make the topics under ``prefix`` and register the schemas; return the settings that name them."""
    settings = SharedSettings(
        kafka=stack.addresses.kafka,
        registry_url=stack.addresses.registry_url,
        topic_prefix=prefix,
        symbol_groups=groups,
        instance="campaign",
    )
    provision(settings, codec or Codec(settings.registry_url))
    return settings
