"""The step that carries out what people ask of orders: cancel, replace, settle; each is answered once, in the log.

An act without an answer is unfinished work: it holds the committed offset, and the next executor begins it anew.
"""

from __future__ import annotations

import structlog

from services.executor.broker.fills import price_between
from services.executor.broker.looking import Calls, Seen
from services.executor.broker.outcomes import BrokerOrder, Fill
from services.executor.operators.acts import (
    STATUS_OF,
    Cancelled,
    CancelOpen,
    CancelWaiting,
    Refuse,
    Replace,
    Replacing,
    Settle,
    judge,
)
from services.executor.operators.cancelling import Canceller
from services.executor.operators.inquiring import Inquirer
from services.executor.operators.replacing import Replacer
from services.executor.operators.replies import Answers
from services.executor.recording.desk import Desk
from services.executor.recording.orders import Progress
from services.executor.state.book import Execution
from services.executor.state.statuses import TERMINAL, UNSETTLED
from tradetrail.events.generated import (
    AnswerOutcome,
    Cause,
    DecisionStatus,
    FailureReason,
    OperatorActed,
    OrderStatus,
    UpdateSource,
)
from tradetrail.operator_acts import Fate
from tradetrail.reports.encode import plain

PENDING_REPLACE = "pending_replace"
"""The broker's word for an order that is open, and whose replacement is not decided."""

log = structlog.get_logger(__name__)


class Actor:
    """Acts on orders in the order of the log, as far as each can go now."""

    def __init__(self, desk: Desk, answers: Answers, member_id: str, canceller: Canceller) -> None:
        """Work at ``desk`` and answer as ``member_id``."""
        self._desk = desk
        self._answers = answers
        self._member_id = member_id
        self._canceller = canceller
        self._replacer = Replacer(desk)
        self._inquirer = Inquirer(desk)
        # What the broker was asked to cancel, by act.
        self._cancelling: dict[str, Execution] = {}

    def step(self) -> None:
        """Do what is due for each act without an answer."""
        acts = list(self._desk.book.acts.values())
        for act, at in acts:
            # Each is judged by a book that knows all that was said before it.
            self._desk.commit()
            if act.event_id in self._desk.book.acts:
                self._do(act, at)
        if acts:
            self._desk.commit()
        self._canceller.tidy()

    def _do(self, act: OperatorActed, at: Cause) -> None:
        cancelled = self._cancelling.get(act.event_id)
        if cancelled is not None and cancelled.status in TERMINAL:
            if cancelled.status is not OrderStatus.REPLACED:
                self._cancel_ended(act, at, cancelled)
                return
            # It was being replaced: the order that took its place is the one to cancel.
            del self._cancelling[act.event_id]
        task = judge(act, self._desk.book)
        if isinstance(task, Refuse):
            self._answer(act, at, AnswerOutcome.REFUSED, task.why)
        elif isinstance(task, CancelWaiting):
            self._answer(
                act,
                at,
                AnswerOutcome.DONE,
                f"cancelled before it was sent, by {act.operator}: {act.why}",
                decision_id=task.decision.decision_id,
                decision_status=DecisionStatus.CANCELLED,
                details={"attempt_number": max(1, len(task.decision.attempts))},
            )
        elif isinstance(task, CancelOpen):
            self._cancelling[act.event_id] = task.execution
            self._canceller.step(task.execution)
        elif isinstance(task, Cancelled):
            self._cancel_ended(act, at, task.execution)
        elif isinstance(task, Settle):
            self._settle(act, at, task)
        elif isinstance(task, Replace):
            self._replace(act, at, task)
        elif isinstance(task, Replacing):
            self._replace_ended(act, at, task.execution)

    def _cancel_ended(self, act: OperatorActed, at: Cause, execution: Execution) -> None:
        filled = f"{plain(execution.filled_qty_total)} of {plain(execution.quantity)} shares filled"
        is_done = execution.status is OrderStatus.CANCELLED
        said = self._canceller.said(execution)
        text = f"cancelled, with {filled}"
        if not is_done:
            text = f"it ended as {execution.status} first, with {filled}"
            text += f"; the broker: {said}" if said else ""
        self._cancelling.pop(act.event_id, None)
        self._answer(
            act,
            at,
            AnswerOutcome.DONE if is_done else AnswerOutcome.REFUSED,
            text,
            execution=execution,
            details=_numbers(execution),
        )

    def _settle(self, act: OperatorActed, at: Cause, task: Settle) -> None:
        desk, execution, told = self._desk, task.execution, task.told
        if desk.lanes.is_busy(execution.execution_id):
            # A look-up is under way: what it brings may make this needless.
            return
        calls: Calls = []
        if task.is_accepted:
            seen = self._inquirer.step(act.event_id, execution)
            if seen is None:
                return
            if isinstance(seen.answer, BrokerOrder):
                self._broker_knows(act, at, execution, seen, seen.answer)
                return
            calls = seen.calls
        desk.outbox.make_room(execution.decision_id)
        fills = []
        grown = told.quantity - execution.filled_qty_total
        if grown and told.price is not None:
            order_id = told.broker_order_id or execution.broker_order_id or ""
            price = price_between(execution, told.quantity, told.price)
            fills = [Fill(order_id, told.quantity, grown, price, None)]
        progress = Progress(
            STATUS_OF[told.fate],
            UpdateSource.OPERATOR,
            failure=None if told.fate is Fate.FILLED else FailureReason.SETTLED_BY_OPERATOR,
            message=f"settled as {told.fate} by {act.operator}: {act.why}",
            raw=act.arguments,
        )
        desk.enter(execution, progress, fills, calls)
        self._answer(
            act,
            at,
            AnswerOutcome.DONE,
            f"recorded as {told.fate}, with {plain(told.quantity)} of {plain(execution.quantity)} shares filled",
            execution=execution,
            details={"filled": plain(told.quantity)},
            is_alone=False,
        )
        log.warning(
            "a person settled an order",
            was_accepted=task.is_accepted,
            execution_id=execution.execution_id,
            fate=told.fate,
            operator=act.operator,
        )

    def _broker_knows(
        self, act: OperatorActed, at: Cause, execution: Execution, seen: Seen, order: BrokerOrder
    ) -> None:
        """Take in what the broker says of an order that a person wanted to settle: that counts, and nothing else."""
        self._desk.enter_snapshot(execution, order, UpdateSource.LOOKUP, seen.calls, seen.listed)
        self._answer(
            act,
            at,
            AnswerOutcome.REFUSED,
            f"the broker knows it, as {order.status} with {plain(order.filled_qty)} shares filled: its word stands",
            execution=execution,
            details={"broker_status": order.status, "filled": plain(order.filled_qty)},
        )

    def _replace(self, act: OperatorActed, at: Cause, task: Replace) -> None:
        refused = self._replacer.step(act, at, task)
        if refused is not None:
            self._answer(
                act,
                at,
                AnswerOutcome.REFUSED,
                f"the {refused.control} control: {refused.explanation}; the order stays as it is",
                execution=task.execution,
                details={"control": refused.control.value},
            )

    def _replace_ended(self, act: OperatorActed, at: Cause, new: Execution) -> None:
        """Answer once it is known what became of both orders: a fill of the old one may still win."""
        if new.status in UNSETTLED:
            return
        old = self._desk.book.executions.get(new.previous_execution_id or "")
        is_between = new.status not in TERMINAL or (old and old.broker_status == PENDING_REPLACE)
        if old is not None and old.status not in TERMINAL and is_between:
            self._canceller.watch(old)
            if new.status not in TERMINAL:
                self._canceller.watch(new)
            return
        is_done = new.status not in (OrderStatus.REJECTED, OrderStatus.ERROR)
        if not is_done and old is not None and old.status not in TERMINAL:
            # The broker refuses to replace what is filled: then the answer tells of the fill, not of what was known.
            if not self._canceller.watch(old):
                return
            self._canceller.unwatch(old)
        text = (
            f"replaced by execution {new.execution_id}, attempt {new.attempt_number}: {new.status}"
        )
        if not is_done:
            text = f"not replaced: the new order is {new.status}"
            text += f" ({new.failure})" if new.failure else ""
            text += f"; the order it was to replace is {old.status}" if old else ""
        self._answer(
            act,
            at,
            AnswerOutcome.DONE if is_done else AnswerOutcome.REFUSED,
            text,
            execution=new,
            details=_numbers(new),
        )

    def _answer(
        self,
        act: OperatorActed,
        at: Cause,
        outcome: AnswerOutcome,
        text: str,
        *,
        execution: Execution | None = None,
        decision_id: str | None = None,
        decision_status: DecisionStatus | None = None,
        details: dict[str, object] | None = None,
        is_alone: bool = True,
    ) -> None:
        """Put the answer into the outbox; unless it is alone, right behind the step it belongs to."""
        desk = self._desk
        named = decision_id or (execution.decision_id if execution else act.decision_id)
        if is_alone and named is not None:
            desk.outbox.make_room(named)
        event = self._answers.answer(
            act,
            self._member_id,
            outcome,
            text,
            desk.now(),
            cause=at,
            details=details,
            decision_id=named,
            execution_id=execution.execution_id if execution else act.execution_id,
            decision_status=decision_status,
        )
        # Under the key the act stands under, whatever it names: that is where the answer is waited for.
        desk.outbox.put(desk.on_symbol(act.symbol or "", event), named)
        log.info("answered", act=act.act, outcome=outcome, operator=act.operator, said=text)


def _numbers(execution: Execution) -> dict[str, object]:
    return {
        "status": execution.status.value,
        "filled": plain(execution.filled_qty_total),
        "quantity": plain(execution.quantity),
    }
