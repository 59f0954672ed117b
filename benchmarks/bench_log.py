"""What the log's settings bring on this machine, as ratios within one run (``make bench-log``).

Measured on one local broker: a transaction that closely follows another, with our ``retry.backoff.ms`` and with
librdkafka's default; reading without decoding and with it. The last line is one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from uuid import uuid4

from confluent_kafka import Producer, TopicPartition

from tradetrail.events.generated import ConfigurationRecorded
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_consumer, open_producer
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.provision import provision
from tradetrail.log.reader import read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack

TRANSACTIONS = 100
ROUNDS = 3
EVENTS = 50_000
# librdkafka's own default.
DEFAULT_BACKOFF_MS = 100


def event(number: int) -> ConfigurationRecorded:
    """Return a small event of about 600 bytes."""
    return ConfigurationRecorded(
        event_id=str(uuid4()),
        occurred_at=datetime(2024, 1, 2, tzinfo=UTC),
        service="bench",
        service_version="0",
        instance="bench",
        symbol="IBM",
        configuration_hash=str(number),
        scope="bench",
        configuration="x" * 450,
    )


def transaction_ms(
    settings: SharedSettings, topic: str, value: bytes, **overrides: object
) -> list[float]:
    """Return how long each of ``TRANSACTIONS`` read-process-write transactions took, milliseconds."""
    group = f"{settings.topic_prefix}bench-{uuid4().hex[:6]}"
    consumer = open_consumer(settings, group)
    consumer.subscribe([topic])
    consumer.poll(REQUEST_TIMEOUT_S)
    producer = open_producer(settings, f"bench-{uuid4().hex[:6]}", **overrides)
    producer.init_transactions(REQUEST_TIMEOUT_S)
    took = [_one(producer, topic, value, consumer, number) for number in range(TRANSACTIONS)]
    consumer.close()
    return took


def _one(producer: Producer, topic: str, value: bytes, consumer: object, number: int) -> float:
    started = time.perf_counter()
    producer.begin_transaction()
    producer.produce(topic, key=b"IBM", value=value)
    producer.send_offsets_to_transaction(
        [TopicPartition(topic, 0, number)],
        consumer.consumer_group_metadata(),  # type: ignore[attr-defined]
        REQUEST_TIMEOUT_S,
    )
    producer.commit_transaction(REQUEST_TIMEOUT_S)
    return (time.perf_counter() - started) * 1000


def rate(read: Callable[[], int]) -> float:
    """Return how many events a second ``read`` gets through."""
    started = time.perf_counter()
    return read() / (time.perf_counter() - started)


def measure(settings: SharedSettings) -> dict[str, float]:
    """Return the figures: medians over ``ROUNDS`` interleaved rounds."""
    codec, topics = Codec(settings.registry_url), Topics.of(settings)
    provision(settings, codec)
    value = codec.encode(event(0))
    tuned: list[float] = []
    default: list[float] = []
    for _ in range(ROUNDS):
        tuned += transaction_ms(settings, topics.audit, value)
        default += transaction_ms(
            settings, topics.audit, value, **{"retry.backoff.ms": DEFAULT_BACKOFF_MS}
        )
    producer = EventProducer(settings, codec)
    for start in range(0, EVENTS, 5_000):
        producer.send(
            [Outgoing(topics.reference, "IBM", event(n)) for n in range(start, start + 5_000)]
        )
    consumed = [
        rate(lambda: sum(1 for _ in read_all(settings, [topics.reference]))) for _ in range(ROUNDS)
    ]
    decoded = [
        rate(
            lambda: sum(1 for m in read_all(settings, [topics.reference]) if codec.decode(m.value))
        )
        for _ in range(ROUNDS)
    ]
    return {
        "transaction_p50_ms": round(median(tuned), 2),
        "transaction_default_backoff_p50_ms": round(median(default), 2),
        "transaction_ratio_to_default": round(median(default) / median(tuned), 1),
        "consume_events_per_s": round(median(consumed)),
        "consume_decode_events_per_s": round(median(decoded)),
    }


def main() -> int:
    """Measure on a stack of its own and print the figures."""
    with tempfile.TemporaryDirectory() as home, LocalStack(home) as stack:
        addresses = stack.addresses
        settings = SharedSettings(
            kafka=addresses.kafka, registry_url=addresses.registry_url, topic_prefix="bench."
        )
        print(json.dumps(measure(settings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
