"""Asks the broker to cancel an open order and looks until it is over: asked is not cancelled, and a fill may win.

An order that is being replaced is looked at in the same way, and nothing is asked for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import structlog

from services.executor.broker.looking import Heard, Seen, look
from services.executor.broker.outcomes import Away, BrokerOrder, Missing, Refused, Told
from services.executor.broker.trading_api import Broker
from services.executor.recording.desk import Desk
from services.executor.recording.orders import call_id
from services.executor.state.book import Execution
from services.executor.state.entries import State
from tradetrail.events.generated import CallPurpose, UpdateSource

# After asking, the order is looked at again so soon, then ever more rarely: the follow-up's polls go on as always.
LOOK_AGAIN_S, LOOK_AGAIN_S_MAX = 0.25, 5.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Asking:
    """How it goes with one order, on the monotonic clock."""

    next_at: float = 0.0
    pause_s: float = LOOK_AGAIN_S
    is_asked: bool = False
    is_seen: bool = False
    said: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one request brought: the answer to the cancellation, where one was sent, and the order after it."""

    cancel: Told | Refused | Missing | Away | None
    seen: Seen


class Canceller:
    """Cancels orders; one request at a time for each."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk
        self._asking: dict[str, _Asking] = {}
        self._watching: dict[str, _Asking] = {}

    def step(self, execution: Execution) -> None:
        """Do what is due to have ``execution`` cancelled; call it each turn until it is over."""
        self._go_on(execution, self._asking.setdefault(execution.execution_id, _Asking()))

    def watch(self, execution: Execution) -> bool:
        """Look at an open order whose end is near; call it each turn until it is over.

        Tells whether the broker has told of it since the watch began.
        """
        watching = self._watching.setdefault(execution.execution_id, _Asking(is_asked=True))
        self._go_on(execution, watching)
        return watching.is_seen

    def unwatch(self, execution: Execution) -> None:
        """End a watch; the next one begins with a look."""
        self._watching.pop(execution.execution_id, None)

    def _go_on(self, execution: Execution, asking: _Asking) -> None:
        each_id, order_id = execution.execution_id, execution.broker_order_id
        if order_id is None or time.monotonic() < asking.next_at:
            return
        begun = self._desk.lanes.ask(
            each_id,
            partial(
                _ask,
                execution=execution,
                order_id=order_id,
                heard=self._desk.heard,
                is_asked=asking.is_asked,
            ),
            partial(self._ended, execution, asking, execution.state),
        )
        if begun:
            asking.next_at = time.monotonic() + asking.pause_s
            asking.pause_s = min(2 * asking.pause_s, LOOK_AGAIN_S_MAX)

    def said(self, execution: Execution) -> str | None:
        """Return why the broker would not cancel it, in its own words, if it said so."""
        found = self._asking.get(execution.execution_id)
        return None if found is None else found.said

    def tidy(self) -> None:
        """Forget orders that are over."""
        for table in (self._asking, self._watching):
            for each_id in [each for each in table if each not in self._desk.book.open]:
                del table[each_id]

    def _ended(self, execution: Execution, asking: _Asking, state: State, brought: _Asked) -> None:
        """Take in an answer; runs on the loop's thread."""
        desk, cancel, seen = self._desk, brought.cancel, brought.seen
        desk.outbox.make_room(execution.decision_id)
        if cancel is not None:
            asking.is_asked = not isinstance(cancel, Away)
            if isinstance(cancel, Refused):
                asking.said = cancel.message
            now = desk.now()
            each_id = call_id(execution.execution_id, f"cancel/{now.isoformat()}", 1)
            recorded = desk.events.call(
                cancel.call, CallPurpose.ORDER_CANCEL, each_id, now, execution
            )
            desk.outbox.put(desk.on_symbol(execution.symbol, *recorded), execution.decision_id)
            desk.outbox.make_room(execution.decision_id)
        asking.is_seen |= not isinstance(seen.answer, Away)
        if isinstance(seen.answer, Away):
            desk.pace.failed(seen.answer.reason, seen.answer.call)
        elif isinstance(seen.answer, BrokerOrder) and execution.state == state:
            # Unless it changed while it was asked for: then this answer may be the older of the two.
            desk.enter_snapshot(execution, seen.answer, UpdateSource.POLL, seen.calls, seen.listed)


def _ask(
    broker: Broker, *, execution: Execution, order_id: str, heard: Heard, is_asked: bool
) -> _Asked:
    cancel = None if is_asked else broker.cancel(order_id)
    seen = look(broker, lambda b: b.order(order_id), CallPurpose.ORDER_POLL, execution, heard)
    return _Asked(cancel, seen)
