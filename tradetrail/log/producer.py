"""Writing to the log: one transaction at a time, or single events without one."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from tradetrail.errors import Fatal, Poison, Retryable
from tradetrail.events import Event
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import (
    REQUEST_TIMEOUT_S,
    TRANSACTION_TIMEOUT_S,
    open_producer,
    translate,
)
from tradetrail.log.reader import Place
from tradetrail.log.topics import DEAD_LETTER_BYTES_MAX, EVENT_BYTES_MAX
from tradetrail.settings import SharedSettings

# Fencing an older producer waits for its transaction to end: its timeout and a little.
INIT_TIMEOUT_S = 2 * TRANSACTION_TIMEOUT_S
# What the client itself is asked to keep to, and a little. Source: librdkafka 2.16 leaves its limit to what sends the
# offsets; after a broker's restart that was seen not to come back for minutes.
OFFSETS_TIMEOUT_S = REQUEST_TIMEOUT_S + 5.0
_QUEUE_FULL_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event with its topic and key; ``event`` None deletes the key from a compacted topic."""

    topic: str
    key: str
    event: Event | None


class _Deliveries:
    """Where each message of one transaction landed, in order of sending."""

    def __init__(self, count: int) -> None:
        self.places: list[tuple[str, int, int]] = [("", -1, -1)] * count
        self.error: str | None = None

    def callback(self, index: int) -> Any:
        def landed(error: Any, message: Message) -> None:
            if error is not None:
                self.error = self.error or str(error)
            else:
                self.places[index] = (
                    message.topic() or "",
                    message.partition() or 0,
                    message.offset() or 0,
                )

        return landed


def _payload(codec: Codec, outgoing: Outgoing) -> bytes | None:
    if outgoing.event is None:
        return None
    value = codec.encode(outgoing.event)
    limit = DEAD_LETTER_BYTES_MAX if outgoing.topic.endswith("dead-letters") else EVENT_BYTES_MAX
    if len(value) > limit:
        raise Poison(
            f"{outgoing.event.TYPE} {outgoing.event.event_id} for {outgoing.topic} has {len(value)} bytes; "
            f"at most {limit} fit: cut it into chunks"
        )
    return value


class TransactionalProducer:
    """A producer whose ``transactional.id`` fences every older one of the same id."""

    def __init__(
        self,
        settings: SharedSettings,
        codec: Codec,
        transactional_id: str,
        *,
        timeout_s: float = TRANSACTION_TIMEOUT_S,
    ) -> None:
        """Prepare a producer; nothing is fenced before ``start``."""
        self.transactional_id = transactional_id
        self._codec = codec
        self._timeout_s = timeout_s
        self._settings = settings
        self._producer = open_producer(settings, transactional_id, timeout_s)

    def start(self) -> None:
        """Fence every other producer of this id. Raises Retryable when the broker is away."""
        try:
            # Without a connection the client asks for its coordinator too early, and again only half a second later
            # (measured: 500 ms in 4 of 25 starts; with one, 30 ms in each).
            self._producer.list_topics(timeout=REQUEST_TIMEOUT_S)
            self._producer.init_transactions(INIT_TIMEOUT_S)
        except KafkaException as error:
            raise translate(
                error, f"taking over transactional id {self.transactional_id}"
            ) from error

    def commit(
        self,
        outputs: Sequence[Outgoing],
        *,
        consumer: Consumer | None = None,
        offsets: dict[Place, int] | None = None,
        passing: Callable[[str], None] | None = None,
    ) -> list[tuple[str, int, int]]:
        """Commit ``outputs`` and consumed ``offsets`` together; return where each output landed.

        ``offsets`` (next offset to read per place) go with the current group metadata of ``consumer``, also when they
        haven't moved, so that an expelled member's commit fails. ``passing`` is for tests of crashes: it hears when
        half of the outputs, all of them, and the offsets are at the broker. Raises Retryable after an abort (rewind
        and build the batch again), Fatal when fenced, Poison when an output can't be sent at all.
        """
        # Each goes as soon as the client has its own copy: a run's delivery is tens of megabytes.
        payloads = deque(_payload(self._codec, each) for each in outputs)
        deliveries = _Deliveries(len(outputs))
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            raise self._give_up(error, "beginning a transaction") from error
        try:
            for index, each in enumerate(outputs):
                self._send(each, payloads.popleft(), deliveries.callback(index))
                if passing is not None and index == (len(outputs) - 1) // 2:
                    self._pass("half_sent", passing)
            if passing is not None:
                self._pass("all_sent", passing)
            if consumer is not None and offsets:
                self._send_offsets(consumer.consumer_group_metadata(), offsets)
            if passing is not None:
                passing("offsets_sent")
            self._commit()
        except KafkaException as error:
            raise self._give_up(error, f"committing {len(outputs)} events") from error
        except BufferError as error:
            self.abort()
            raise Retryable(f"the producer's queue stayed full: {error}") from error
        if deliveries.error:
            raise Fatal(f"a committed transaction reports an undelivered event: {deliveries.error}")
        return deliveries.places

    def abort(self) -> None:
        """Abort the open transaction; Fatal when not even that works."""
        try:
            self._producer.abort_transaction(self._timeout_s)
        except KafkaException as error:
            raise Fatal(f"{translate(error, 'aborting a transaction')}") from error

    def _pass(self, step: str, passing: Callable[[str], None]) -> None:
        self._producer.flush(REQUEST_TIMEOUT_S)
        passing(step)

    def _send(self, each: Outgoing, value: bytes | None, landed: Any) -> None:
        deadline = time.monotonic() + REQUEST_TIMEOUT_S
        while True:
            try:
                self._producer.produce(
                    each.topic, key=each.key.encode(), value=value, on_delivery=landed
                )
                return
            except BufferError:
                if time.monotonic() > deadline:
                    raise
                self._producer.poll(_QUEUE_FULL_WAIT_S)

    def _send_offsets(self, metadata: object, offsets: dict[Place, int]) -> None:
        """Send offsets within ``OFFSETS_TIMEOUT_S``, whatever becomes of the client's own limit."""
        places = [TopicPartition(t, p, o) for (t, p), o in offsets.items()]
        failed: list[Exception] = []

        def send() -> None:
            try:
                self._producer.send_offsets_to_transaction(places, metadata, REQUEST_TIMEOUT_S)
            except Exception as error:  # noqa: BLE001 (raised again below)
                failed.append(error)

        sending = threading.Thread(target=send, name="sending offsets", daemon=True)
        sending.start()
        # By the second, so that the time for which this process was frozen counts as one of them.
        for _ in range(math.ceil(OFFSETS_TIMEOUT_S)):
            sending.join(min(1.0, OFFSETS_TIMEOUT_S))
            if not sending.is_alive():
                break
        if sending.is_alive():
            raise Fatal(
                f"the client does not come back from sending offsets as {self.transactional_id}, "
                f"{OFFSETS_TIMEOUT_S:.0f} s after it was asked to within {REQUEST_TIMEOUT_S:.0f}: restart this process"
            )
        if failed:
            raise failed[0]

    def _commit(self) -> None:
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                self._producer.commit_transaction(max(0.1, deadline - time.monotonic()))
                return
            except KafkaException as error:
                # A retriable error leaves the commit under way: only the same call may follow.
                if not error.args[0].retriable() or time.monotonic() > deadline:
                    raise

    def _give_up(self, error: KafkaException, doing: str) -> Exception:
        ours = translate(error, f"{doing} as {self.transactional_id}")
        if isinstance(ours, Fatal):
            return ours
        self.abort()
        return ours


class EventProducer:
    """A plain idempotent producer, for the control topic and for tools: each event stands alone."""

    def __init__(self, settings: SharedSettings, codec: Codec) -> None:
        """Prepare a producer without transactions."""
        self._codec = codec
        self._producer = open_producer(settings)
        self._turn = threading.Lock()

    def connect(self) -> None:
        """Connect, for whoever waits for the first event. Raises Retryable when the broker is away."""
        # Without a connection the client asks for its id too early, and again only half a second later (measured: the
        # first event took 510 ms in each of 4; after this, 10 ms in 3 of 4).
        try:
            self._producer.list_topics(timeout=REQUEST_TIMEOUT_S)
        except KafkaException as error:
            raise translate(error, "connecting to write") from error

    def send(self, outputs: Sequence[Outgoing]) -> list[tuple[str, int, int]]:
        """Send ``outputs`` in order and wait until each is confirmed; return where each landed. Threads take turns.

        Raises Retryable when a confirmation is missing after ``REQUEST_TIMEOUT_S``; what was sent may have arrived,
        and sending it again is harmless since its event id is the same.
        """
        payloads = [_payload(self._codec, each) for each in outputs]
        deliveries = _Deliveries(len(outputs))
        with self._turn:
            for index, (each, value) in enumerate(zip(outputs, payloads, strict=True)):
                self._producer.produce(
                    each.topic,
                    key=each.key.encode(),
                    value=value,
                    on_delivery=deliveries.callback(index),
                )
            unconfirmed = self._producer.flush(REQUEST_TIMEOUT_S)
        if unconfirmed or deliveries.error:
            raise Retryable(f"not every event was confirmed: {deliveries.error or 'time ran out'}")
        return deliveries.places
