"""The step for orders that are open at the broker: polls and hints, until each is over."""

from __future__ import annotations

import time
from datetime import datetime

import structlog

from services.executor import metrics
from services.executor.book import Execution
from services.executor.desk import Desk
from services.executor.outcomes import Away, Missing
from services.executor.stream import Hint
from tradetrail.events.generated import CallPurpose, UpdateSource

# A clock that moved this much further than real time did was set: everything may have changed.
CLOCK_JUMP_S = 30.0

log = structlog.get_logger(__name__)


class Follower:
    """Follows every open order; polls that say nothing new are counted."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk
        self._next_poll_at: dict[str, float] = {}
        self._hinted: set[str] = set()
        self._seen: tuple[datetime, float] | None = None
        self.looked_at: dict[str, datetime] = {}

    def step(self, now: datetime, hints: list[Hint]) -> None:
        """Look at every open order that is due; ``now`` is the injected clock's instant."""
        everything = self._clock_jumped(now)
        for hint in hints:
            everything = everything or hint.order_id is None
            if hint.fill is not None:
                self._desk.hear(hint.fill)
            if hint.order_id is not None:
                self._hinted.add(hint.order_id)
        followed = self._desk.book.followed()
        for execution in followed:
            due_at = self._next_poll_at.setdefault(
                execution.execution_id, time.monotonic() + self._desk.settings.poll_every_s
            )
            is_hinted = execution.broker_order_id in self._hinted
            if everything:
                self._next_poll_at[execution.execution_id] = 0.0
            if everything or is_hinted or time.monotonic() >= due_at:
                self._look(execution, now, UpdateSource.STREAM if is_hinted else UpdateSource.POLL)
        self._tidy()

    def _look(self, execution: Execution, now: datetime, source: UpdateSource) -> None:
        desk = self._desk
        order = desk.broker.order(execution.broker_order_id or "")
        if isinstance(order, Away):
            self._next_poll_at[execution.execution_id] = time.monotonic() + min(
                1.0, desk.settings.poll_every_s
            )
            desk.pace.failed(order.reason, order.call)
            return
        self._next_poll_at[execution.execution_id] = time.monotonic() + desk.settings.poll_every_s
        self._hinted.discard(execution.broker_order_id or "")
        if isinstance(order, Missing):
            log.error(
                "the broker does not know an order it accepted",
                execution_id=execution.execution_id,
                broker_order_id=execution.broker_order_id,
            )
            return
        call = desk.broker.last_call
        calls = [(call, CallPurpose.ORDER_POLL)] if call else []
        if not desk.take_snapshot(execution, order, source, calls):
            metrics.IDLE_POLLS.inc()
        self.looked_at[execution.execution_id] = now

    def _clock_jumped(self, now: datetime) -> bool:
        real = time.monotonic()
        before, self._seen = self._seen, (now, real)
        if before is None:
            return True
        return abs((now - before[0]).total_seconds() - (real - before[1])) > CLOCK_JUMP_S

    def _tidy(self) -> None:
        """Forget orders that are over, and hints of orders that others placed."""
        open_ids = self._desk.book.open
        for table in (self._next_poll_at, self.looked_at):
            for execution_id in [each for each in table if each not in open_ids]:
                del table[execution_id]
        if not open_ids:
            self._hinted.clear()
            self._desk.heard_fills.clear()
