"""The log as bytes: what a plain client reads of every topic, and the hash of each event by the page's own words.

Nothing here goes through what the auditor uses: docs/audit-database.md says which bytes are hashed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.faults.plain_log import READ_TIMEOUT_S, Place

_BATCH_MAX = 5_000
_REQUEST_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Raw:
    """One message; ``millis`` is Kafka's time of it, milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    millis: int
    key: bytes | None
    value: bytes | None

    def hash(self) -> bytes:
        """Return the SHA-256 that the page describes."""
        content = _sized(b"tradetrail.event.1") + _sized(self.topic.encode())
        content += b"".join(_number(n) for n in (self.partition, self.offset, self.millis))
        return hashlib.sha256(content + _sized(self.key) + _sized(self.value)).digest()


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _sized(content: bytes | None) -> bytes:
    return _number(-1) if content is None else _number(len(content)) + content


@dataclass
class RawLog:
    """Everything committed, by place in log order; ``ends``: where the next event of each place will stand."""

    messages: dict[Place, list[Raw]] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)

    def hashes(self) -> dict[Place, list[tuple[int, bytes]]]:
        """Return the offsets and hashes of each place that has any."""
        return {
            place: [(each.offset, each.hash()) for each in found]
            for place, found in self.messages.items()
            if found
        }


def plain_consumer(kafka: str) -> Consumer:
    """Return a client that reads committed events and joins no group."""
    return Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "a-campaigns-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )


def read_log(kafka: str, topics: Iterable[str]) -> RawLog:
    """Return all that is committed, once no transaction hides anything. Raises TimeoutError when one hangs."""
    found = RawLog()
    consumer = plain_consumer(kafka)
    try:
        found.messages = {place: [] for place in places(consumer, topics)}
        consumer.assign([TopicPartition(*place, 0) for place in found.messages])
        deadline = time.monotonic() + READ_TIMEOUT_S
        while len(found.ends) < len(found.messages):
            for message in consumer.consume(_BATCH_MAX, timeout=0.1):
                place = (str(message.topic()), int(message.partition() or 0))
                error = message.error()
                if error is None:
                    found.messages[place].append(_raw(place, message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    found.ends[place] = int(message.offset() or 0)
                else:
                    raise KafkaException(error)
            if time.monotonic() > deadline:
                raise TimeoutError(f"no end of {sorted(found.messages.keys() - found.ends.keys())}")
    finally:
        consumer.close()
    return found


def ends_of(consumer: Consumer, wanted: Iterable[Place]) -> Mapping[Place, int]:
    """Return the offset after all that was written to each place."""
    return {
        place: consumer.get_watermark_offsets(TopicPartition(*place), _REQUEST_TIMEOUT_S)[1]
        for place in wanted
    }


def places(consumer: Consumer, topics: Iterable[str]) -> list[Place]:
    """Return every partition of the topics."""
    known = consumer.list_topics(timeout=_REQUEST_TIMEOUT_S).topics
    return [(topic, number) for topic in topics for number in known[topic].partitions]


def _raw(place: Place, message: Message) -> Raw:
    _, millis = message.timestamp()
    return Raw(*place, int(message.offset() or 0), millis, message.key(), message.value())
