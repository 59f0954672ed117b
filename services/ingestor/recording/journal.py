"""Commit a run's events: small transactions as it goes, one large one at its end, all under the run's lock.

Two transactional ids per data source, the lock's group and the same with -calls, since a transaction's timeout belongs
to its producer: a hung small one must not hide the log for a minute, and a large one may take that long. Both are taken
over at the run's beginning and never later, each only after the broker said that the lock is still held: a process that
wakes after another took over must not fence it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from services.ingestor.breakpoints import passing, reached
from services.ingestor.recording.lock import SourceLock
from tradetrail.errors import Retryable
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import TRANSACTION_TIMEOUT_S
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.settings import SharedSettings

# A backfill's last transaction may take a while to send; all others are a few events (10 s).
DELIVERY_TIMEOUT_S = 60.0
# An aborted transaction is tried again so often; more would only make an outage longer to see.
COMMIT_ATTEMPTS_MAX = 3

log = structlog.get_logger(__name__)

Landed = tuple[str, int, int]
"""Topic, partition and offset of a committed event."""


class Journal:
    """The pen of one data source's runs, while its lock is held."""

    def __init__(
        self,
        settings: SharedSettings,
        codec: Codec,
        lock: SourceLock,
        die_at: str = "",
    ) -> None:
        """Fence every other producer of this data source, and end what it left open.

        Raises Fatal when the lock is lost, Retryable when the broker is away.
        """
        self._lock = lock
        self._passing = passing(die_at)
        lock.prove()
        self._large = _opened(settings, codec, lock.group, DELIVERY_TIMEOUT_S)
        reached("fencing", die_at)
        lock.prove()
        self._small = _opened(settings, codec, f"{lock.group}-calls", TRANSACTION_TIMEOUT_S)
        reached("fenced", die_at)

    def commit(self, outputs: Sequence[Outgoing]) -> list[Landed]:
        """Commit a few events now; return where each landed.

        Raises Fatal when the lock is lost, Retryable when the log does not take them.
        """
        return self._commit(self._small, outputs)

    def deliver(self, outputs: Sequence[Outgoing]) -> list[Landed]:
        """Commit all that a run has to say, or nothing of it. Raises as ``commit`` does."""
        return self._commit(self._large, outputs, self._passing)

    def _commit(
        self,
        producer: TransactionalProducer,
        outputs: Sequence[Outgoing],
        passing: Callable[[str], None] | None = None,
    ) -> list[Landed]:
        for _ in range(COMMIT_ATTEMPTS_MAX - 1):
            try:
                return self._commit_once(producer, outputs, passing)
            except Retryable as error:
                # It was aborted as a whole. A second process that asked for the lock makes the group settle anew, and
                # a commit in that moment fails.
                log.warning("a transaction will be tried again", error=str(error))
                self._lock.settle()
        return self._commit_once(producer, outputs, passing)

    def _commit_once(
        self,
        producer: TransactionalProducer,
        outputs: Sequence[Outgoing],
        passing: Callable[[str], None] | None,
    ) -> list[Landed]:
        offsets = self._lock.offsets
        return producer.commit(
            outputs, consumer=self._lock.consumer, offsets=offsets, passing=passing
        )


def _opened(
    settings: SharedSettings, codec: Codec, transactional_id: str, timeout_s: float
) -> TransactionalProducer:
    producer = TransactionalProducer(settings, codec, transactional_id, timeout_s=timeout_s)
    producer.start()
    return producer
