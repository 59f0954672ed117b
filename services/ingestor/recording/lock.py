"""One run per data source, wherever it runs: the lock is the ownership of one partition in a consumer group.

The group's only member with the control topic's single partition holds the lock. Every transaction of a run carries the
holder's group metadata, so that a holder that was expelled (frozen, cut off) can't commit any more. What was lost stays
lost: another may have run since, and what this process read of the log before then no longer holds.
"""

from __future__ import annotations

import time
from types import TracebackType

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tradetrail.errors import Fatal, Retryable, TradetrailError
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_consumer, translate
from tradetrail.log.reader import Place
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

_POLL_S = 0.02
# Two members agree within a heartbeat (1 s).
_SETTLE_S = 1.2
# A group that is put together anew answers so often that it is not ready; each time it gets that long.
_PROOFS_MAX = 3

log = structlog.get_logger(__name__)


class AlreadyRunning(TradetrailError):
    """Another run of this data source holds the lock."""


class SourceLock:
    """The lock of one data source, held from ``__enter__`` to ``__exit__``."""

    def __init__(
        self, settings: SharedSettings, topics: Topics, data_source: str, wait_s: float
    ) -> None:
        """Name the lock; nothing is joined yet."""
        self._settings = settings
        self._data_source = data_source
        self._wait_s = wait_s
        self._place: Place = (topics.control, 0)
        self.group = f"{topics.prefix}ingestor-{data_source}"
        self._is_held = False
        self._was_lost = False
        self._end = 0
        self.consumer: Consumer

    @property
    def offsets(self) -> dict[Place, int]:
        """Return what every transaction of the run commits for the group. Raises Fatal when the lock is lost."""
        self.keep()
        return {self._place: self._end}

    def __enter__(self) -> SourceLock:
        """Join and wait for the partition.

        Raises AlreadyRunning when another holds it for the whole wait, Retryable when the broker is away.
        """
        self.consumer = open_consumer(self._settings, self.group)
        try:
            self.consumer.subscribe(
                [self._place[0]],
                on_assign=self._assigned,
                on_revoke=self._revoked,
                on_lost=self._revoked,
            )
            deadline = time.monotonic() + self._wait_s
            while not self._is_held:
                self._poll(_POLL_S)
                if time.monotonic() > deadline and not self._is_held:
                    self._check_broker()
                    raise AlreadyRunning(
                        f"a run of {self._data_source} is already running (group {self.group} is held by another "
                        "process); wait for it to end"
                    )
        except BaseException:
            self.consumer.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the group, so that the next run need not wait."""
        try:
            self.consumer.close()
        except (KafkaException, RuntimeError) as problem:
            log.warning("the lock was not given back cleanly", error=str(problem))

    def keep(self) -> None:
        """Serve the membership and make sure it still stands. Raises Fatal when the lock is lost."""
        self._poll(0)
        if not self._is_held or self._was_lost:
            raise Fatal(
                f"lost the lock of {self._data_source}: this process was cut off too long; nothing more is delivered"
            )

    def prove(self) -> None:
        """Ask the broker whether the lock is still held: this process may not know yet that it was cut off.

        Raises Fatal when the lock is lost, Retryable when the broker is away.
        """
        for attempt in range(1, _PROOFS_MAX + 1):
            self.keep()
            try:
                self.consumer.commit(
                    offsets=[TopicPartition(*self._place, self._end)], asynchronous=False
                )
                return
            except KafkaException as error:
                if attempt == _PROOFS_MAX:
                    raise translate(error, f"proving the lock of {self._data_source}") from error
                self.settle()

    def settle(self) -> None:
        """Serve the membership for a moment, so that a group that is being put together anew can finish."""
        deadline = time.monotonic() + _SETTLE_S
        while time.monotonic() < deadline:
            self._poll(_POLL_S)

    def _poll(self, timeout_s: float) -> None:
        message = self.consumer.poll(timeout_s)
        problem = message.error() if message is not None else None
        if problem is not None and problem.fatal():
            raise Fatal(f"the lock of {self._data_source}: {problem.str()}")
        if problem is not None and problem.code() != KafkaError._PARTITION_EOF:
            log.warning("the lock's group is disturbed", error=problem.str())

    def _check_broker(self) -> None:
        try:
            self.consumer.list_topics(self._place[0], timeout=REQUEST_TIMEOUT_S)
        except KafkaException as error:
            raise translate(error, f"waiting for the lock of {self._data_source}") from error

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if not partitions:
            return
        try:
            # The group's lag should read zero, though nobody reads the topic here.
            self._end = consumer.get_watermark_offsets(partitions[0], REQUEST_TIMEOUT_S)[1]
        except KafkaException as error:
            raise Retryable(
                f"{translate(error, 'asking for the end of the control topic')}"
            ) from error
        consumer.incremental_assign([TopicPartition(*self._place, self._end)])
        consumer.pause([TopicPartition(*self._place)])
        self._is_held = True

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if partitions:
            self._was_lost = self._was_lost or self._is_held
            self._is_held = False
            consumer.incremental_unassign(partitions)
