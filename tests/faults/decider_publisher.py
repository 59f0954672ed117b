"""Puts a script into a log, one delivery after the other, as ingestors would: each in a transaction of its source."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from random import Random

from tests.faults.decider_script import REFERENCE, Delivery
from tradetrail.errors import TradetrailError
from tradetrail.events import Event
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_producer
from tradetrail.log.producer import INIT_TIMEOUT_S, Outgoing, TransactionalProducer
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

_UNREADABLE = b"\x00\x00\x00\x00\x01broken"
# Between two deliveries, while faults are done: some come alone, some close behind each other.
_PAUSE_S_MAX = 0.5


class Publisher:
    """Publishes a script to one log; by ``begin`` in a thread, a delivery now and then."""

    def __init__(self, log: SharedSettings, codec: Codec, script: Sequence[Delivery]) -> None:
        """Publish nothing yet."""
        self._log = log
        self._codec = codec
        self._topics = Topics.of(log)
        self._left = list(script)
        self._producers: dict[str, TransactionalProducer] = {}
        self._working = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._failed: list[TradetrailError] = []

    def publish(self, count: int | None = None) -> None:
        """Publish the next ``count`` deliveries, or all that are left, now."""
        with self._working:
            while self._left and count != 0:
                self._deliver(self._left.pop(0))
                count = None if count is None else count - 1

    def begin(self, chance: Random, keep: int = 0) -> None:
        """Publish delivery after delivery from a thread; the last ``keep`` not."""
        pauses = [chance.uniform(0, _PAUSE_S_MAX) for _ in self._left]

        def run() -> None:
            for pause_s in pauses:
                if self._stop.wait(pause_s) or len(self._left) <= keep:
                    return
                try:
                    self.publish(1)
                except TradetrailError as error:
                    self._failed.append(error)
                    return

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def halt(self) -> None:
        """Stop publishing at the end of a delivery; nothing is under way after this. Raises what went wrong."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        # What a broker takes with it when it goes is made anew.
        self._producers.clear()
        if self._failed:
            raise self._failed[0]

    def is_done(self) -> bool:
        """Tell whether the thread has published all that it should."""
        return self._thread is not None and not self._thread.is_alive()

    def await_done(self) -> None:
        """Wait until the thread has published all that it should. Raises what went wrong."""
        if self._thread is not None:
            self._thread.join()
        if self._failed:
            raise self._failed[0]

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.unreadable:
            plain = open_producer(self._log)
            topic = self._topics.for_symbol(delivery.unreadable)
            plain.produce(topic, key=delivery.unreadable.encode(), value=_UNREADABLE)
            plain.flush(REQUEST_TIMEOUT_S)
            return
        outputs = [self._outgoing(delivery, event) for event in delivery.events]
        if delivery.is_aborted:
            self._abort(delivery, outputs)
            return
        producer = self._producers.get(delivery.source)
        if producer is None:
            name = f"{self._log.topic_prefix}{delivery.source}"
            producer = TransactionalProducer(self._log, self._codec, name)
            producer.start()
            self._producers[delivery.source] = producer
        producer.commit(outputs)

    def _outgoing(self, delivery: Delivery, event: Event) -> Outgoing:
        if delivery.source == REFERENCE:
            key = getattr(event, "politician_id", None) or event.symbol or ""
            return Outgoing(self._topics.reference, key, event)
        return Outgoing(self._topics.for_symbol(event.symbol or ""), event.symbol or "", event)

    def _abort(self, delivery: Delivery, outputs: Sequence[Outgoing]) -> None:
        producer = open_producer(self._log, f"{self._log.topic_prefix}{delivery.source}-cut-off")
        producer.init_transactions(INIT_TIMEOUT_S)
        producer.begin_transaction()
        for each in outputs:
            assert each.event is not None
            value = self._codec.encode(each.event)
            producer.produce(each.topic, key=each.key.encode(), value=value)
        producer.flush(REQUEST_TIMEOUT_S)
        producer.abort_transaction(REQUEST_TIMEOUT_S)
