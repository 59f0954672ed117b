"""What the log says about decisions and executions: folded, never guessed. Pure.

The same fold serves a restart, a takeover and the live loop. Nothing here reads a clock or a network. An event that
contradicts what is known raises Poison and changes nothing; ``rehearsal`` tells so before it is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.executor.state.entries import (
    Decision,
    Equality,
    Execution,
    begun,
    decided,
    equality,
)
from services.executor.state.legality import check_block, check_intent, check_update, is_asked_for
from services.executor.state.reservations import Reservations
from services.executor.state.retries import NEVER, Retries, may_follow
from services.executor.state.statuses import DECISION_TERMINAL, TERMINAL, UNSETTLED
from tradetrail.errors import Poison
from tradetrail.events import Event
from tradetrail.events.generated import (
    AnswerOutcome,
    Cause,
    DecisionMade,
    DecisionStatus,
    FailureReason,
    OperatorAct,
    OperatorActed,
    OperatorAnswered,
    OrderBlocked,
    OrderStatus,
    OrderSubmitting,
    OrderUpdated,
)
from tradetrail.log.reader import Place
from tradetrail.operator_acts import ORDER_ACTS

__all__ = ["Book", "Decision", "Execution", "begun", "equality", "next_actions"]
_CANCELLING = frozenset({OperatorAct.CANCEL_ORDER, OperatorAct.HALT})


@dataclass(slots=True)
class Book:
    """Every decision and execution by the log, from ``starts`` on (offsets; a place that isn't named: from 0).

    ``acts`` are those on one order that nobody has answered yet. ``known_since``: of orders begun before it only those
    of unfinished decisions are known; None while all are.
    """

    retries: Retries = NEVER
    starts: Mapping[Place, int] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    open: dict[str, Execution] = field(default_factory=dict)
    waiting: dict[str, deque[Decision]] = field(default_factory=dict)
    retrying: dict[str, tuple[Decision, datetime]] = field(default_factory=dict)
    acts: dict[str, tuple[OperatorActed, Cause]] = field(default_factory=dict)
    unfinished: dict[Place, dict[str, int]] = field(default_factory=dict)
    reserved: Reservations = field(default_factory=Reservations)
    last_equal: dict[Equality, tuple[datetime, str]] = field(default_factory=dict)
    passed_over: int = 0
    known_since: datetime | None = None
    # The open ones, apart: each turn of the loop asks for them.
    _unsettled: dict[str, Execution] = field(default_factory=dict)
    _followed: dict[str, Execution] = field(default_factory=dict)

    def fold(self, event: Event, at: Cause) -> None:
        """Take one event in; ``at`` is its place. Raises Poison for one that contradicts what is known."""
        if isinstance(event, DecisionMade):
            self._decided(event, at)
        elif isinstance(event, OrderSubmitting):
            self._submitting(event, at)
        elif isinstance(event, OrderUpdated):
            self._updated(event)
        elif isinstance(event, OrderBlocked):
            self._blocked(event)
        elif isinstance(event, OperatorActed):
            self._asked(event, at)
        elif isinstance(event, OperatorAnswered):
            self._answered(event, at)

    def begin_at(self, starts: Mapping[Place, int], since: datetime) -> None:
        """Begin the fold at ``starts``, before which nothing is unfinished and nothing occurred after ``since``."""
        self.starts = dict(starts)
        self.known_since = since if any(starts.values()) else None

    def unsettled(self) -> list[Execution]:
        """Return the executions whose outcome isn't known, oldest first."""
        return list(self._unsettled.values())

    def followed(self) -> list[Execution]:
        """Return the executions that are open at the broker, those whose outcome was known first in front."""
        return list(self._followed.values())

    def pending_count(self) -> int:
        """Return how many decisions wait for their turn, or for another try."""
        return sum(len(queue) for queue in self.waiting.values()) + len(self.retrying)

    def lowest_unfinished(self, place: Place) -> int | None:
        """Return the offset of the oldest decision or act in ``place`` without a final answer, if there is one."""
        return next(iter(self.unfinished.get(place, {}).values()), None)

    def strays(self) -> list[Execution]:
        """Return open executions whose decision is not known: after a fold to the end of the log there are none."""
        return [e for e in self.open.values() if e.decision_id not in self.decisions]

    def due_at(self, decision: Decision) -> datetime | None:
        """Return when the next try of a failed attempt is due; None when none is."""
        found = self.retrying.get(decision.decision_id)
        return None if found is None else found[1] + timedelta(seconds=self.retries.after_s)

    def failure_of(
        self, execution: Execution, status: OrderStatus, failure: FailureReason | None
    ) -> FailureReason | None:
        """Return why an execution ends: who cancelled it is known here, other reasons stay as they are."""
        if (
            status is OrderStatus.CANCELLED
            and failure is None
            and is_asked_for(execution, self.acts.values())
        ):
            return FailureReason.OPERATOR_CANCELLED
        return failure

    def status_after(
        self, execution: Execution, status: OrderStatus, failure: FailureReason | None
    ) -> DecisionStatus:
        """Return the status of the decision once ``execution`` is ``status``: all its executions and retries count."""
        decision = self.decisions[execution.decision_id]
        told = decision.status_with(execution.execution_id, status, failure)
        if (
            told is DecisionStatus.FAILED
            and may_follow(decision, execution, failure)
            and self.retries.has_left(decision)
            and not is_asked_for(execution, self.acts.values())
        ):
            return DecisionStatus.EXECUTING
        return told

    def forget(self, before: datetime) -> None:
        """Drop what was over before ``before`` (UTC): neither a control nor a follow-up looks back so far."""
        self.known_since = max(before, self.known_since or before)
        for decision in list(self.decisions.values()):
            if decision.status in DECISION_TERMINAL and decision.changed_at < before:
                del self.decisions[decision.decision_id]
        for execution in list(self.executions.values()):
            is_old = execution.status in TERMINAL and execution.changed_at < before
            if is_old and execution.decision_id not in self.decisions:
                del self.executions[execution.execution_id]
        self.reserved.forget(before)
        for equal in [key for key, (at, _) in self.last_equal.items() if at < before]:
            del self.last_equal[equal]

    def _decided(self, event: DecisionMade, at: Cause) -> None:
        if event.decision_id in self.decisions:
            return
        decision = decided(event, at)
        self.decisions[event.decision_id] = decision
        self.waiting.setdefault(decision.symbol, deque()).append(decision)
        self.unfinished.setdefault((at.topic, at.partition), {})[event.decision_id] = at.offset

    def _submitting(self, event: OrderSubmitting, at: Cause) -> None:
        if event.execution_id in self.executions:
            return
        decision = self.decisions.get(event.decision_id)
        if decision is None:
            self._demand_older(event)
            same = (event.strategy_name or "", event.symbol or "", event.side, event.quantity)
        else:
            check_intent(decision, event, is_retrying=event.decision_id in self.retrying)
            same = equality(decision)
        execution = begun(event, event.symbol or "", at)
        self.executions[event.execution_id] = self.open[event.execution_id] = execution
        self._unsettled[event.execution_id] = execution
        self.reserved.begin(execution)
        self.last_equal[same] = (event.occurred_at, event.decision_id)
        if decision is not None:
            decision.attempts.append(execution)
            self._become(decision, DecisionStatus.EXECUTING, event.occurred_at)

    def _updated(self, event: OrderUpdated) -> None:
        execution = self.executions.get(event.execution_id)
        if execution is None:
            self._demand_older(event)
            return
        decision = self.decisions.get(execution.decision_id)
        check_update(decision, execution, event)
        if event.status is OrderStatus.SUBMITTING and event.error_message is None:
            execution.sends += 1
        execution.status = event.status
        execution.changed_at = event.occurred_at
        execution.failure = event.failure_reason
        execution.broker_order_id = event.broker_order_id or execution.broker_order_id
        execution.broker_status = event.broker_status or execution.broker_status
        execution.filled_qty_total = event.filled_qty_total
        execution.filled_avg_price = event.filled_avg_price or execution.filled_avg_price
        self._sort(execution)
        self.reserved.update(event)
        if decision is None:
            return
        self._become(decision, event.decision_status, event.occurred_at)
        is_over = all(each.status in TERMINAL for each in decision.attempts)
        if is_over and decision.status is DecisionStatus.EXECUTING:
            self.retrying[decision.decision_id] = (decision, event.occurred_at)

    def _sort(self, execution: Execution) -> None:
        """Put an execution where its new status belongs."""
        each_id = execution.execution_id
        if execution.status in UNSETTLED:
            return
        self._unsettled.pop(each_id, None)
        if execution.status in TERMINAL:
            self.open.pop(each_id, None)
            self._followed.pop(each_id, None)
        else:
            self._followed[each_id] = execution

    def _blocked(self, event: OrderBlocked) -> None:
        decision = self.decisions.get(event.decision_id)
        if decision is None:
            self._demand_older(event)
            return
        check_block(decision, event)
        self._become(decision, DecisionStatus.FAILED, event.occurred_at)

    def _asked(self, event: OperatorActed, at: Cause) -> None:
        if event.act in ORDER_ACTS and event.event_id not in self.acts:
            self.acts[event.event_id] = (event, at)
            self.unfinished.setdefault((at.topic, at.partition), {})[event.event_id] = at.offset

    def _answered(self, event: OperatorAnswered, at: Cause) -> None:
        decision = self.decisions.get(event.decision_id or "")
        is_told = event.decision_status not in (None, decision and decision.status)
        if is_told and decision is None:
            if not self.starts.get((at.topic, at.partition)):
                raise Poison(f"answer {event.event_id} ends decision {event.decision_id}, unknown")
            self.passed_over += 1
        elif is_told and decision is not None and event.decision_status is not None:
            check_block(decision, event)
            self._become(decision, event.decision_status, event.occurred_at)
        found = self.acts.pop(event.act_id, None)
        if found is not None:
            self.unfinished[found[1].topic, found[1].partition].pop(event.act_id, None)
        execution = self.executions.get(event.execution_id or "")
        is_done = event.outcome is AnswerOutcome.DONE
        if execution is not None and is_done and event.act in _CANCELLING:
            execution.cancelled_by = event.act_id

    def _become(self, decision: Decision, status: DecisionStatus, at: datetime) -> None:
        """Move a decision on; that it may was checked."""
        if decision.status is DecisionStatus.PENDING:
            queue = self.waiting[decision.symbol]
            queue.remove(decision)
            if not queue:
                del self.waiting[decision.symbol]
        self.retrying.pop(decision.decision_id, None)
        decision.status = status
        decision.changed_at = at
        if status in DECISION_TERMINAL:
            place = (decision.cause.topic, decision.cause.partition)
            self.unfinished.get(place, {}).pop(decision.decision_id, None)

    def _demand_older(self, event: OrderSubmitting | OrderUpdated | OrderBlocked) -> None:
        """Pass over what names something of before the start; raise Poison for anything else."""
        cause = event.cause
        start = 0 if cause is None else self.starts.get((cause.topic, cause.partition), 0)
        if cause is None or cause.offset >= start:
            raise Poison(
                f"{event.TYPE} {event.event_id} is about decision {event.decision_id}, and what it follows "
                "was never seen"
            )
        self.passed_over += 1


def next_actions(
    book: Book, now: datetime | None = None, *, market_is_open: bool
) -> list[Decision]:
    """Return the decisions that may be sent now: one a symbol, the strongest signal first, ties by id.

    Within a symbol the order of the log holds; one with an order of unknown outcome is held, and so is one whose failed
    order is to be tried again: that comes first, once it is due at ``now`` (UTC).
    """
    if not market_is_open:
        return []
    held = {execution.symbol for execution in book.unsettled()}
    heads = {symbol: queue[0] for symbol, queue in book.waiting.items()}
    for decision, _ in reversed(book.retrying.values()):
        due_at = book.due_at(decision)
        if now is not None and due_at is not None and now >= due_at:
            heads[decision.symbol] = decision
        else:
            heads.pop(decision.symbol, None)
    may_go = [decision for symbol, decision in heads.items() if symbol not in held]
    return sorted(may_go, key=lambda decision: (-decision.signal_strength, decision.decision_id))
