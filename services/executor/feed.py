"""The trade partitions as the active executor reads them: all, by hand, from where it is told, moving no offsets."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from services.executor import metrics
from tradetrail.errors import Fatal, Retryable
from tradetrail.events import Event
from tradetrail.events.generated import (
    BrokerOrderDiscovered,
    Cause,
    DecisionMade,
    OperatorActed,
    OperatorAnswered,
    OrderBlocked,
    OrderSubmitting,
    OrderUpdated,
)
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_consumer, translate
from tradetrail.log.reader import Place, end_offsets, places_of
from tradetrail.settings import SharedSettings

BATCH_MAX = 500
# A transaction of another service hides what follows it at most this long: an ingestor's final one may take 60 s.
CATCH_UP_TIMEOUT_S = 90.0
_READ = frozenset(
    each.TYPE
    for each in (
        BrokerOrderDiscovered,
        DecisionMade,
        OrderSubmitting,
        OrderUpdated,
        OrderBlocked,
        OperatorActed,
        OperatorAnswered,
    )
)

log = structlog.get_logger(__name__)


class Feed:
    """Yields the events of interest with their places, and knows how far it has read."""

    def __init__(
        self,
        settings: SharedSettings,
        codec: Codec,
        topics: list[str],
        starts: Mapping[Place, int],
    ) -> None:
        """Begin at ``starts`` in the partitions of ``topics``, at 0 in those that aren't named."""
        self._settings = settings
        self._codec = codec
        places = places_of(settings, topics)
        if not places:
            raise Retryable(f"none of the topics {topics} exists yet")
        self.positions: dict[Place, int] = {place: starts.get(place, 0) for place in places}
        self.skipped_count = 0
        self._consumer: Consumer = open_consumer(settings)
        self._consumer.assign([TopicPartition(t, p, o) for (t, p), o in self.positions.items()])

    def catch_up(self) -> Iterator[tuple[Event, Cause]]:
        """Yield everything up to the present ends, open transactions of others included.

        Raises Retryable when the ends aren't reached within ``CATCH_UP_TIMEOUT_S`` without any progress.
        """
        ends = end_offsets(self._settings, self.positions, committed_only=False)
        heard_at, seen = time.monotonic(), dict(self.positions)
        while any(self.positions[place] < end for place, end in ends.items()):
            yield from self.take(0.05)
            if self.positions != seen:
                heard_at, seen = time.monotonic(), dict(self.positions)
            if time.monotonic() - heard_at > CATCH_UP_TIMEOUT_S:
                raise Retryable("the log's end can't be reached; is a transaction hanging?")

    def take(self, timeout_s: float) -> Iterator[tuple[Event, Cause]]:
        """Yield what has arrived, waiting up to ``timeout_s`` for the first message."""
        first = self._consumer.poll(timeout_s)
        if first is None:
            return
        for message in [first, *self._consumer.consume(BATCH_MAX - 1, timeout=0)]:
            place = (message.topic() or "", message.partition() or 0)
            offset = message.offset() or 0
            if error := message.error():
                if error.code() == KafkaError._PARTITION_EOF:
                    self.positions[place] = max(offset, self.positions.get(place, 0))
                elif error.fatal():
                    raise Fatal(f"reading {place}: {error.str()}")
                else:
                    log.warning("reading is disturbed", place=place, error=error.str())
                continue
            event = self._event(message.value(), place, offset)
            self.positions[place] = offset + 1
            if event is not None:
                yield (
                    event,
                    Cause(
                        topic=place[0],
                        partition=place[1],
                        offset=offset,
                        event_id=event.event_id,
                    ),
                )

    def skip(self) -> None:
        """Count an event that could not be used."""
        self.skipped_count += 1
        metrics.SKIPPED_EVENTS.inc()

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _event(self, value: bytes | None, place: Place, offset: int) -> Event | None:
        try:
            # Most events of the log are other services'.
            if self._codec.type_name(value) not in _READ:
                return None
            return self._codec.decode(value).event
        except BadEvent as error:
            self.skip()
            log.error(
                "skipping an event that can't be read",
                place=place,
                offset=offset,
                code=error.code,
                error=str(error),
            )
            return None


class ControlFeed:
    """The control topic, read to its high watermark: written without transactions, so that nothing hides a halt."""

    def __init__(self, settings: SharedSettings, codec: Codec, topic: str) -> None:
        """Begin at the start of the topic."""
        self._codec = codec
        overrides: dict[str, Any] = {"isolation.level": "read_uncommitted"}
        self._consumer: Consumer = open_consumer(settings, None, **overrides)
        # The end is asked for on a connection of its own: on the reader's it would wait behind a long fetch.
        self._asker: Consumer = open_consumer(settings)
        self._place = TopicPartition(topic, 0, 0)
        self._consumer.assign([self._place])
        self.position = 0

    def read_to_end(self) -> Iterator[OperatorActed]:
        """Yield every act up to the present end of the topic. Raises Retryable when it can't be reached."""
        high = self._high_watermark()
        deadline = time.monotonic() + REQUEST_TIMEOUT_S
        while self.position < high:
            message = self._consumer.poll(0.05)
            if message is None:
                if time.monotonic() > deadline:
                    raise Retryable("the control topic can't be read to its end")
                continue
            if error := message.error():
                if error.code() == KafkaError._PARTITION_EOF:
                    self.position = max(self.position, message.offset() or 0)
                continue
            self.position = (message.offset() or 0) + 1
            act = self._act(message.value())
            if act is not None:
                yield act

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()
        self._asker.close()

    def _high_watermark(self) -> int:
        doing = "asking for the end of the control topic"
        try:
            found = self._asker.get_watermark_offsets(self._place, timeout=REQUEST_TIMEOUT_S)
        except KafkaException as error:
            raise translate(error, doing) from error
        if found is None:
            raise Retryable(f"{doing}: no answer within {REQUEST_TIMEOUT_S:g} s")
        return int(found[1])

    def _act(self, value: bytes | None) -> OperatorActed | None:
        try:
            event = self._codec.decode(value).event
        except BadEvent as error:
            log.error("skipping an operator's act that can't be read", error=str(error))
            return None
        return event if isinstance(event, OperatorActed) else None
