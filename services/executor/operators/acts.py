"""What a person's act on an order asks for, judged against the book: do, wait, or refuse. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.executor.state.book import Book, Decision, Execution
from services.executor.state.statuses import DECISION_TERMINAL, TERMINAL, UNSETTLED
from tradetrail.events.generated import (
    FailureReason,
    OperatorAct,
    OperatorActed,
    OrderStatus,
    OrderType,
)
from tradetrail.manual_orders import BadOrder
from tradetrail.operator_acts import (
    Fate,
    Replacement,
    Resolution,
    read_replacement,
    read_resolution,
)
from tradetrail.reports.encode import plain

STATUS_OF = {
    Fate.NOT_SENT: OrderStatus.ERROR,
    Fate.FILLED: OrderStatus.FILLED,
    Fate.CANCELLED: OrderStatus.CANCELLED,
    Fate.REJECTED: OrderStatus.REJECTED,
    Fate.EXPIRED: OrderStatus.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing is to be done; why, in a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """The outcome of a request of this process is awaited first: seconds."""


@dataclass(frozen=True, slots=True)
class CancelWaiting:
    """A decision waits, and nothing of it is open: it can be cancelled by being said so."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class CancelOpen:
    """An order is open at the broker, who is to be asked to cancel it."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What was to be cancelled is over, and the broker did cancel it for this act."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class Replace:
    """An open order is to be replaced."""

    decision: Decision
    execution: Execution
    wanted: Replacement


@dataclass(frozen=True, slots=True)
class Replacing:
    """The act has begun this execution: what becomes of it is the answer."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class Settle:
    """An order is to be recorded as a person says: one of unknown fate, or one that the broker has lost.

    ``is_accepted``: the broker has accepted it, and must say first that it doesn't know it any more.
    """

    execution: Execution
    told: Resolution
    is_accepted: bool


Task = Refuse | Wait | CancelWaiting | CancelOpen | Cancelled | Replace | Replacing | Settle


def judge(act: OperatorActed, book: Book) -> Task:
    """Return what an act on an order asks for now."""
    wanted = act.execution_id or act.decision_id or act.scope
    execution = book.executions.get(wanted)
    decision = book.decisions.get(execution.decision_id if execution else wanted)
    if decision is None:
        return Refuse(
            f"{wanted} is no decision or execution that is open or was so lately: it is over, or never was"
        )
    if act.symbol != decision.symbol:
        return Refuse(f"{wanted} is about {decision.symbol}, not {act.symbol}")
    try:
        if act.act is OperatorAct.CANCEL_ORDER:
            return _cancel(decision, execution)
        if act.act is OperatorAct.REPLACE_ORDER:
            begun = [each for each in decision.attempts if each.act_id == act.event_id]
            if begun:
                return Replacing(begun[0])
            return _replace(decision, execution, read_replacement(act))
        return _settle(decision, execution, read_resolution(act))
    except BadOrder as error:
        return Refuse(str(error))


def _cancel(decision: Decision, execution: Execution | None) -> Task:
    attempts = decision.attempts if execution is None else [execution]
    open_attempts = [each for each in attempts if each.status not in TERMINAL]
    if not open_attempts:
        if execution is None and decision.status not in DECISION_TERMINAL:
            # It waits for its first order, or for another try.
            return CancelWaiting(decision)
        return _over(decision, execution)
    unknown = [each for each in open_attempts if each.status is OrderStatus.UNKNOWN]
    if unknown:
        return Refuse(
            f"execution {unknown[0].execution_id} is unknown: whether the broker has it is being looked up. Ask again "
            f"when it is known; `tradetrail halt --symbol {decision.symbol} --cancel-open` keeps it from being sent "
            "again and cancels it when it turns up; `tradetrail order resolve` settles what stays unknown"
        )
    settled = [each for each in open_attempts if each.status not in UNSETTLED]
    # A replacement on its way is awaited: which of the two is open is known then.
    return CancelOpen(settled[-1]) if len(settled) == len(open_attempts) else Wait()


def _over(decision: Decision, execution: Execution | None) -> Task:
    last = execution or (decision.attempts[-1] if decision.attempts else None)
    if last is None:
        return Refuse(f"decision {decision.decision_id} is {decision.status} already")
    if last.failure is FailureReason.OPERATOR_CANCELLED and last.cancelled_by is None:
        # No act was answered for it yet: it was this one, carried out before a restart.
        return Cancelled(last)
    return Refuse(
        f"execution {last.execution_id} is {last.status} already, with {plain(last.filled_qty_total)} of "
        f"{plain(last.quantity)} shares filled; its decision is {decision.status}"
    )


def _replace(decision: Decision, execution: Execution | None, wanted: Replacement) -> Task:
    if execution is None:
        open_attempts = [each for each in decision.attempts if each.status not in TERMINAL]
        if not open_attempts:
            return Refuse(
                f"decision {decision.decision_id} is {decision.status} and has no open order to replace; cancel it and "
                "order anew if it waits"
            )
        execution = open_attempts[-1]
    if any(each.status is OrderStatus.SUBMITTING for each in decision.attempts):
        return Wait()
    if unknown := [each for each in decision.attempts if each.status is OrderStatus.UNKNOWN]:
        return Refuse(
            f"execution {unknown[0].execution_id} is unknown: it can be replaced once it is known to be open"
        )
    if execution.status in TERMINAL:
        return Refuse(f"execution {execution.execution_id} is {execution.status} already")
    if execution.cancelled_by is not None:
        return Refuse(f"execution {execution.execution_id} is being cancelled")
    if wanted.limit_price is not None and execution.order_type is not OrderType.LIMIT:
        return Refuse(f"execution {execution.execution_id} is a market order and has no limit")
    left = execution.quantity - execution.filled_qty_total
    if wanted.quantity in (None, left) and wanted.limit_price in (None, execution.limit_price):
        return Refuse("that is what the order is already: nothing would change")
    return Replace(decision, execution, wanted)


def _settle(decision: Decision, execution: Execution | None, told: Resolution) -> Task:
    if execution is None:
        if not decision.attempts:
            return Refuse(f"decision {decision.decision_id} is {decision.status}: nothing was sent")
        unsettled = [each for each in decision.attempts if each.status in UNSETTLED]
        execution = (unsettled or decision.attempts)[-1]
    if execution.status is OrderStatus.SUBMITTING:
        return Wait()
    if execution.status in TERMINAL:
        return Refuse(
            f"execution {execution.execution_id} is {execution.status}, by what the broker said; only what is unknown, "
            "or lost by the broker, can be settled"
        )
    is_accepted = execution.status is not OrderStatus.UNKNOWN
    if is_accepted and told.fate is Fate.NOT_SENT:
        return Refuse(
            f"execution {execution.execution_id} is {execution.status}, so it was sent: only what is unknown can be "
            "not-sent; if the broker has lost it, say cancelled, expired, rejected or filled"
        )
    if told.fate is Fate.FILLED and told.quantity != execution.quantity:
        return Refuse(
            f"filled means all {plain(execution.quantity)} shares, not {plain(told.quantity)}: a part of them is "
            "cancelled or expired with --qty and --price"
        )
    if told.fate is not Fate.FILLED and told.quantity >= execution.quantity:
        return Refuse(f"with {plain(told.quantity)} shares filled it is filled, not {told.fate}")
    if told.quantity < execution.filled_qty_total:
        return Refuse(f"{plain(execution.filled_qty_total)} shares are recorded as filled already")
    return Settle(execution, told, is_accepted)
