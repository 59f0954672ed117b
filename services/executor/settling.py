"""The step for orders of unknown fate: look up until known; send again only after a long, steady 404.

Never another id, never blindly, never while halted or stale.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog

from services.executor.book import Execution
from services.executor.controls import recheck
from services.executor.desk import Desk
from services.executor.guarded_http import Exchange
from services.executor.looking import post
from services.executor.orders import Progress
from services.executor.outcomes import Away, Missing
from tradetrail import sessions
from tradetrail.events.generated import (
    CallPurpose,
    FailureReason,
    OrderStatus,
    UpdateSource,
)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Search:
    """How the look-up of one execution goes, on the monotonic clock."""

    next_at: float = 0.0
    missing_since: float | None = None


class Settler:
    """Brings every unsettled execution to a known state."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk
        self._searches: dict[str, _Search] = {}

    def step(self) -> None:
        """Do what is due for each unsettled execution."""
        unsettled = self._desk.book.unsettled()
        for execution in unsettled:
            if execution.execution_id in self._desk.not_sent:
                self._send_again(execution, None)
            elif execution.status is OrderStatus.SUBMITTING:
                self._found_without_outcome(execution)
            else:
                self._look_up(execution)
        if not unsettled:
            self._searches.clear()

    def _found_without_outcome(self, execution: Execution) -> None:
        progress = Progress(
            OrderStatus.UNKNOWN,
            UpdateSource.EXECUTOR,
            message="an intent without an outcome was found at start-up",
        )
        self._desk.record(execution, progress, [], [])

    def _look_up(self, execution: Execution) -> None:
        search = self._searches.setdefault(execution.execution_id, _Search())
        now = time.monotonic()
        if now < search.next_at:
            return
        search.next_at = now + self._desk.settings.lookup_every_s
        found = self._desk.broker.find(execution.client_order_id)
        if isinstance(found, Away):
            # Only a steady 404 counts: begin again.
            search.missing_since = None
            log.warning("look-up failed", execution_id=execution.execution_id, reason=found.reason)
        elif isinstance(found, Missing):
            search.missing_since = search.missing_since or now
            if time.monotonic() - search.missing_since >= self._desk.settings.not_found_for_s:
                self._send_again(execution, found.call)
        else:
            del self._searches[execution.execution_id]
            call = self._desk.broker.last_call
            calls = [(call, CallPurpose.ORDER_LOOKUP)] if call else []
            self._desk.take_snapshot(execution, found, UpdateSource.LOOKUP, calls)

    def _send_again(self, execution: Execution, lookup: Exchange | None) -> None:
        desk = self._desk
        now = desk.now()
        queues = desk.settings.outside_hours == "queue"
        if not desk.pace.is_open or (sessions.session_at(now) is None and not queues):
            return
        desk.read_halts()
        decision = desk.book.decisions[execution.decision_id]
        refused = recheck(decision, desk.halts, desk.settings, now)
        if refused is not None:
            progress = Progress(
                OrderStatus.ERROR,
                UpdateSource.EXECUTOR,
                failure=FailureReason.NOT_SENT,
                message=f"never sent, and not to be sent any more: {refused.explanation}",
            )
            calls = [(lookup, CallPurpose.ORDER_LOOKUP)] if lookup else []
            desk.record(execution, progress, [], calls)
            return
        (ticket,) = desk.journal.commit_intents(
            desk.again(execution, lookup), [execution.execution_id]
        )
        desk.not_sent.discard(execution.execution_id)
        self._searches.pop(execution.execution_id, None)
        desk.crash.passing("after_intent")
        posted = post(
            desk.broker, lambda b: b.submit(ticket, execution.request), execution, desk.heard
        )
        desk.crash.passing("after_post")
        desk.enter_outcome(execution, posted)
        desk.commit()
