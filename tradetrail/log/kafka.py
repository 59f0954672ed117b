"""How we talk to Kafka: one place for every client setting, each with its reason."""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from tradetrail.errors import Fatal, Retryable, TradetrailError
from tradetrail.settings import SharedSettings

# One request to a broker: restarts of a broker take a few seconds; past this a caller is told.
REQUEST_TIMEOUT_S = 10.0
# A dead member's partitions move on after this; the broker's own floor is 6 s.
SESSION_TIMEOUT_MS = 6_000
# The longest a batch may take between two polls before the group gives its partitions away.
POLL_INTERVAL_MS_MAX = 300_000
# A hung transaction blocks its readers this long; outputs are ready before it begins, so commits take milliseconds.
TRANSACTION_TIMEOUT_S = 10.0
# Above the largest dead letter (2 MiB) and its framing.
MESSAGE_BYTES_MAX = 3 << 20
# The default of 100 ms is waited whenever a transaction closely follows another (design, section 2).
RETRY_BACKOFF_MS = 2
LIBRARY_LINE_EVERY_S = 1.0

log = structlog.get_logger(__name__)


def _common(settings: SharedSettings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka,
        "client.id": settings.instance,
        "socket.keepalive.enable": True,
        "retry.backoff.ms": RETRY_BACKOFF_MS,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 2_000,
        # What the client library has to say goes where our own lines go, as one of them.
        "logger": _library_log(),
        "log_level": 3,
    }


@cache
def _library_log() -> logging.Logger:
    library = logging.getLogger("tradetrail.librdkafka")
    library.propagate = False
    library.addHandler(_Forward())
    return library


class _Forward(logging.Handler):
    """Hands the client library's lines to our log, at most one a second: a broker that is away makes many."""

    def __init__(self) -> None:
        """Begin with nothing held back."""
        super().__init__()
        self._said_at = float("-inf")
        self._held_back = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Log one line of the library, with the number of those held back since the last."""
        if time.monotonic() - self._said_at < LIBRARY_LINE_EVERY_S:
            self._held_back += 1
            return
        log.warning("the Kafka client says", said=record.getMessage(), held_back=self._held_back)
        self._said_at, self._held_back = time.monotonic(), 0


def open_consumer(settings: SharedSettings, group: str | None = None, **overrides: Any) -> Consumer:
    """Return a consumer that reads committed events only and commits nothing by itself.

    Without ``group`` it belongs to none: it must be assigned by hand and can't move any group's offsets.
    """
    return Consumer(
        {
            **_common(settings),
            "group.id": group or f"{settings.topic_prefix}ungrouped",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": SESSION_TIMEOUT_MS,
            "heartbeat.interval.ms": SESSION_TIMEOUT_MS // 6,
            "max.poll.interval.ms": POLL_INTERVAL_MS_MAX,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "fetch.error.backoff.ms": 50,
            **overrides,
        }
    )


def open_producer(
    settings: SharedSettings,
    transactional_id: str | None = None,
    transaction_timeout_s: float = TRANSACTION_TIMEOUT_S,
    **overrides: Any,
) -> Producer:
    """Return an idempotent producer that places keys as Java clients do; transactional when given an id."""
    config: dict[str, Any] = {
        **_common(settings),
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": "zstd",
        "partitioner": "murmur2_random",
        "linger.ms": 0,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "delivery.timeout.ms": int(REQUEST_TIMEOUT_S * 1000),
    }
    if transactional_id is not None:
        config["transactional.id"] = transactional_id
        config["transaction.timeout.ms"] = int(transaction_timeout_s * 1000)
    return Producer({**config, **overrides})


def open_admin(settings: SharedSettings) -> AdminClient:
    """Return an admin client."""
    return AdminClient(_common(settings))


def translate(error: KafkaException, doing: str) -> TradetrailError:
    """Return our kind of error for a Kafka client's: Fatal when this client can't go on, else Retryable."""
    cause = error.args[0]
    text = f"{doing}: {cause.str() if isinstance(cause, KafkaError) else cause}"
    if isinstance(cause, KafkaError) and cause.fatal():
        return Fatal(f"{text}; another process took over or this one was cut off: restart it")
    return Retryable(text)
