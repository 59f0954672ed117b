"""Writing to the log as the account's executor: fenced transactions, and tickets for committed intents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import structlog

from services.executor.broker.ticket import _SEAL, LiveTicket
from services.executor.election import Election, Lost
from tradetrail.errors import Fatal, Retryable
from tradetrail.events import Event
from tradetrail.events.generated import Cause
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.log.reader import Place

# An aborted transaction is committed again while the account is ours; a broker that restarts needs a few tries.
COMMIT_TRIES_MAX = 5
_PAUSE_S = 0.2

log = structlog.get_logger(__name__)


class Journal:
    """Commits outputs and offsets together, tells where they landed, and hands them to the fold."""

    def __init__(
        self,
        producer: TransactionalProducer,
        election: Election,
        offsets: Callable[[], dict[Place, int]],
        rehearse: Callable[[Iterable[Event]], None],
        landed: Callable[[Event, Cause], None],
        send_within_s: float,
    ) -> None:
        """``offsets`` are committed with every transaction.

        ``rehearse`` raises for events that must not be committed; ``landed`` hears of each that was, in order.
        """
        self._producer = producer
        self._election = election
        self._offsets = offsets
        self._rehearse = rehearse
        self._landed = landed
        self._send_within_s = send_within_s

    def commit(self, outputs: Sequence[Outgoing]) -> None:
        """Commit ``outputs`` in one transaction. Raises Lost when this process may not any more.

        Raises Fatal, with nothing committed, for an event that contradicts the log.
        """
        self._rehearse(each.event for each in outputs if each.event is not None)
        places = self._commit(outputs)
        for each, (topic, partition, offset) in zip(outputs, places, strict=True):
            if each.event is not None:
                self._landed(
                    each.event,
                    Cause(
                        topic=topic,
                        partition=partition,
                        offset=offset,
                        event_id=each.event.event_id,
                    ),
                )

    def commit_intents(
        self, outputs: Sequence[Outgoing], execution_ids: Sequence[str]
    ) -> list[LiveTicket]:
        """Commit intents in one transaction; return a ticket for each, good for ``send_within_s`` from now."""
        expires_at = time.monotonic() + self._send_within_s
        self.commit(outputs)
        return [LiveTicket(_SEAL, each, expires_at) for each in execution_ids]

    def _commit(self, outputs: Sequence[Outgoing]) -> list[tuple[str, int, int]]:
        for tries in range(1, COMMIT_TRIES_MAX + 1):
            self._election.hold()
            try:
                return self._producer.commit(
                    outputs, consumer=self._election.consumer, offsets=self._offsets()
                )
            except Retryable as error:
                log.warning("a transaction was aborted", error=str(error), tries=tries)
            except Fatal as error:
                raise Lost(f"this executor's transactions are refused: {error}") from error
            self._election.poll(_PAUSE_S)
        raise Lost(f"no transaction went through in {COMMIT_TRIES_MAX} tries")
