"""Who puts events into a round's log: in lots, in transactions that are aborted, under dates of long ago."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from confluent_kafka import KafkaError, Message
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from tests.faults.auditor_checks import Letter
from tests.faults.auditor_script import Placed, lot
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_admin, open_producer
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# Of one transaction; enough to reach every partition.
_IN_TRANSACTION = 60


class Publisher:
    """Fills a round's log, and knows where its poison stands."""

    def __init__(self, log: SharedSettings, codec: Codec, seed: str) -> None:
        """Publish nothing yet."""
        self._log = log
        self._codec = codec
        self._seed = seed
        self._producer = open_producer(log)
        self._problems: list[str] = []
        self.lots = 0
        self.poison: list[Letter] = []

    def publish(self) -> None:
        """Put the next lot into the log; return once it stands there."""
        self.lots += 1
        for each in lot(self._seed, self.lots):
            note = self._noted_poison if each.is_poison else self._noted
            self._producer.produce(*self._message(each), on_delivery=note)
        self._flush()

    def publish_aborted(self) -> None:
        """Put transactions into the log, some of which never count: its offsets have gaps."""
        producer = open_producer(self._log, f"{self._log.topic_prefix}campaign")
        producer.init_transactions(REQUEST_TIMEOUT_S)
        for turn, is_kept in enumerate((False, True, False)):
            producer.begin_transaction()
            for each in self._sound(f"transaction-{turn}")[:_IN_TRANSACTION]:
                producer.produce(*self._message(each))
            if is_kept:
                producer.commit_transaction(REQUEST_TIMEOUT_S)
            else:
                # What is aborted has reached the log before.
                producer.flush(REQUEST_TIMEOUT_S)
                producer.abort_transaction(REQUEST_TIMEOUT_S)

    def publish_dated(self, instants: Iterable[datetime]) -> None:
        """Put an event into the log for each instant, UTC, dated so, as if it was copied from elsewhere."""
        topic = Topics.of(self._log).trade()[-1]
        entry = ConfigEntry(
            "message.timestamp.type",
            "CreateTime",
            incremental_operation=AlterConfigOpType.SET,
        )
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        admin = open_admin(self._log)
        for answer in admin.incremental_alter_configs([resource]).values():
            answer.result(REQUEST_TIMEOUT_S)
        for instant, each in zip(instants, self._sound("dated"), strict=False):
            _, value, key = self._message(each)
            millis = int(instant.timestamp() * 1000)
            self._producer.produce(topic, value, key, timestamp=millis, on_delivery=self._noted)
        self._flush()

    def _sound(self, salt: str) -> list[Placed]:
        """Return events that can be read and kept."""
        placed = lot(f"{self._seed}-{salt}", 1)
        return [each for each in placed if each.event is not None and not each.is_poison]

    def _message(self, each: Placed) -> tuple[str, bytes | None, bytes]:
        value = each.raw if each.event is None else self._codec.encode(each.event)
        return self._log.topic_prefix + each.topic, value, each.key.encode()

    def _flush(self) -> None:
        if self._producer.flush(REQUEST_TIMEOUT_S) or self._problems:
            raise RuntimeError(f"the campaign's own events did not get there: {self._problems}")

    def _noted(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._problems.append(error.str())

    def _noted_poison(self, error: KafkaError | None, message: Message) -> None:
        self._noted(error, message)
        place = (str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
        self.poison.append(place)
