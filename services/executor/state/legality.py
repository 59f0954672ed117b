"""What may follow what in a decision's life. Pure: each function raises Poison with what is wrong, or does nothing."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from services.executor.state.entries import PATCH, Decision, Execution
from services.executor.state.retries import may_follow
from services.executor.state.statuses import DECISION_TRANSITIONS, TERMINAL, TRANSITIONS
from tradetrail.errors import Poison
from tradetrail.events.generated import (
    Cause,
    DecisionStatus,
    OperatorAct,
    OperatorActed,
    OperatorAnswered,
    OrderBlocked,
    OrderSubmitting,
    OrderUpdated,
)


def check_intent(decision: Decision, event: OrderSubmitting, *, is_retrying: bool) -> None:
    """Let the first attempt pass, a retry that is due, and the replacement of an order that is open."""
    _check_decision(decision, DecisionStatus.EXECUTING)
    what = f"attempt {event.attempt_number} of decision {decision.decision_id}"
    if event.symbol != decision.symbol:
        raise Poison(f"{what} is for {event.symbol}, the decision for {decision.symbol}")
    if event.attempt_number != decision.next_attempt:
        raise Poison(f"{what} can't be the next: that is {decision.next_attempt}")
    if event.method == PATCH:
        replaced = [e for e in decision.attempts if e.execution_id == event.previous_execution_id]
        if not replaced or replaced[0].status in TERMINAL:
            raise Poison(f"{what} replaces {event.previous_execution_id}, which is not open")
    elif decision.attempts and not is_retrying:
        raise Poison(f"{what} is neither a retry that is due nor a replacement")
    elif event.previous_execution_id != decision.previous_execution_id:
        raise Poison(f"{what} follows {event.previous_execution_id}, which isn't the last one")


def check_update(decision: Decision | None, execution: Execution, event: OrderUpdated) -> None:
    """Let a status pass that may follow, fills that add up, and what they make of the decision, where it is known."""
    what = f"execution {execution.execution_id}"
    if event.decision_id != execution.decision_id:
        raise Poison(f"{what} is one of decision {execution.decision_id}, not {event.decision_id}")
    if event.status not in TRANSITIONS[execution.status]:
        raise Poison(f"{what} is {execution.status} and can't become {event.status}")
    grown = event.filled_qty_total - execution.filled_qty_total
    if grown < 0:
        raise Poison(f"the filled quantity of {what} can't fall")
    if grown != (event.fill_qty or Decimal(0)):
        raise Poison(
            f"the filled quantity of {what} grows by {grown}, but the fill is {event.fill_qty}"
        )
    if decision is None:
        return
    _check_decision(decision, event.decision_status)
    told = decision.status_with(execution.execution_id, event.status, event.failure_reason)
    is_retry = (
        told is DecisionStatus.FAILED
        and event.decision_status is DecisionStatus.EXECUTING
        and may_follow(decision, execution, event.failure_reason)
    )
    if event.decision_status is not told and not is_retry:
        raise Poison(
            f"{what} as {event.status} makes decision {decision.decision_id} {told}, not {event.decision_status}"
        )


def check_block(decision: Decision, event: OrderBlocked | OperatorAnswered) -> None:
    """Let a decision end without an order: only while none of it is open."""
    status = DecisionStatus.FAILED
    if isinstance(event, OperatorAnswered):
        status = event.decision_status or DecisionStatus.UNRECOGNISED
    _check_decision(decision, status)
    if any(each.status not in TERMINAL for each in decision.attempts):
        raise Poison(
            f"{event.TYPE} {event.event_id} ends decision {decision.decision_id}, which has an open order"
        )


def is_asked_for(execution: Execution, acts: Iterable[tuple[OperatorActed, Cause]]) -> bool:
    """Tell whether a person had an execution cancelled; ``acts`` are those whose answer is still to come."""
    return execution.cancelled_by is not None or any(
        act.act is OperatorAct.CANCEL_ORDER
        # Whoever names the symbol himself gives an id that is only known to be one of the two.
        and (act.execution_id or act.decision_id or act.scope)
        in (execution.execution_id, execution.decision_id)
        for act, _ in acts
    )


def _check_decision(decision: Decision, status: DecisionStatus) -> None:
    if status not in DECISION_TRANSITIONS[decision.status]:
        raise Poison(
            f"decision {decision.decision_id} is {decision.status} and can't become {status}"
        )
