"""What the broker has and the log lacks: judged against the book and against what was recorded before. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.executor.broker.fills import says_something_new
from services.executor.broker.outcomes import BrokerOrder
from services.executor.state.book import Book, Execution
from services.executor.state.statuses import TERMINAL, execution_status
from tradetrail.events.generated import BrokerOrderDiscovered, OrderStatus

_OPEN = frozenset({OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED})

Matter = tuple[OrderStatus, Decimal]
"""What matters of an order's state: where it is in its life, and the shares filled."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An order that the log lacks, or knows otherwise; ``execution`` is ours that it belongs to, if it does."""

    order: BrokerOrder
    explanation: str
    execution: Execution | None = None


@dataclass(slots=True)
class Verdict:
    """What a comparison found. ``differing`` are open orders of ours that the broker tells otherwise of."""

    compared: int = 0
    findings: list[Finding] = field(default_factory=list)
    differing: list[Execution] = field(default_factory=list)
    unjudged: int = 0


@dataclass(slots=True)
class Discoveries:
    """What was discovered so far, by the log: the state of each order, and whose it is.

    ``passed_over`` are our ids of orders that the log tells of, but whose intents the book does not go back to.
    """

    states: dict[str, Matter] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    submitted_at: dict[str, datetime] = field(default_factory=dict)
    passed_over: set[str] = field(default_factory=set)

    def fold(self, event: BrokerOrderDiscovered) -> None:
        """Take one event in; an older state than is known changes nothing."""
        matter = matter_of(event.broker_status, event.filled_qty_total)
        if not self.is_new(event.broker_order_id, matter):
            return
        self.states[event.broker_order_id] = matter
        if event.execution_id is not None:
            self.owners[event.broker_order_id] = event.execution_id
        self.submitted_at[event.broker_order_id] = event.submitted_at or event.occurred_at

    def is_new(self, order_id: str, matter: Matter) -> bool:
        """Tell whether a state was never recorded and isn't older than what was."""
        known = self.states.get(order_id)
        if known is None:
            return True
        return known != matter and known[0] not in TERMINAL and matter[1] >= known[1]

    def open_before(self, instant: datetime) -> list[str]:
        """Return the orders submitted before ``instant`` (UTC) that were open when last heard of."""
        return [
            each
            for each, (status, _) in self.states.items()
            if status not in TERMINAL and self.submitted_at[each] < instant
        ]

    def forget(self, before: datetime) -> None:
        """Drop orders that were over and submitted before ``before`` (UTC): no comparison goes back so far."""
        for each in [e for e, at in self.submitted_at.items() if at < before]:
            if self.states[each][0] in TERMINAL:
                del self.states[each], self.submitted_at[each]
                self.owners.pop(each, None)


def matter_of(broker_status: str, filled_qty: Decimal) -> Matter:
    """Return what matters of a state: that an order was routed, or partly filled, is told by its shares."""
    status = execution_status(broker_status, is_partly_filled=filled_qty > 0)
    return (OrderStatus.ACCEPTED if status in _OPEN else status), filled_qty.normalize()


def judge(
    orders: Iterable[BrokerOrder], book: Book, known: Discoveries, moved: Collection[str] = ()
) -> Verdict:
    """Compare the broker's orders with the log.

    Executions that ``moved`` (by id) while the broker was asked are left out: its answer may be the older of the two.
    """
    verdict = Verdict()
    ours = {each.client_order_id: each for each in book.executions.values()}
    by_broker_id = {e.broker_order_id: e for e in book.executions.values() if e.broker_order_id}
    for order in orders:
        verdict.compared += 1
        execution = ours.get(order.client_order_id)
        if execution is not None and execution.execution_id in moved:
            continue
        if execution is not None:
            finding = _of_ours(order, execution, verdict)
        elif order.client_order_id in known.passed_over:
            verdict.unjudged += 1
            continue
        else:
            finding = _of_others(order, book, by_broker_id, known)
        matter = matter_of(order.status, order.filled_qty)
        if finding is not None and known.is_new(order.order_id, matter):
            verdict.findings.append(finding)
    return verdict


def fields_of(order: BrokerOrder) -> dict[str, Any]:
    """Return the order's object as the broker sent it; empty when it can't be read."""
    try:
        content = json.loads(order.raw, parse_float=Decimal)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _of_ours(order: BrokerOrder, execution: Execution, verdict: Verdict) -> Finding | None:
    if execution.status not in TERMINAL:
        if execution.broker_order_id is not None and says_something_new(execution, order):
            verdict.differing.append(execution)
        return None
    if execution.status in (OrderStatus.ERROR, OrderStatus.REJECTED) and order.status != "rejected":
        return Finding(
            order,
            f"the log says {execution.status} (no order at the broker), but the broker has it as "
            f"{order.status} with {order.filled_qty} shares filled: settle it with the broker by hand",
            execution,
        )
    same_end = execution_status(order.status, is_partly_filled=False) is execution.status
    if order.filled_qty != execution.filled_qty_total or not (
        same_end or execution.status in (OrderStatus.FILLED, OrderStatus.REJECTED)
    ):
        return Finding(
            order,
            f"the log says {execution.status} with {execution.filled_qty_total} shares filled, the broker "
            f"{order.status} with {order.filled_qty}",
            execution,
        )
    return None


def _of_others(
    order: BrokerOrder, book: Book, by_broker_id: dict[str, Execution], known: Discoveries
) -> Finding:
    replaced = str(fields_of(order).get("replaces") or "")
    owner = known.owners.get(order.order_id) or known.owners.get(replaced)
    execution = by_broker_id.get(replaced) or book.executions.get(owner or "")
    if execution is not None:
        return Finding(
            order,
            f"the broker put it in the place of our order {replaced or execution.broker_order_id}",
            execution,
        )
    return Finding(order, "the log has no intent for it: a person or another system placed it")
