"""Decisions and broker answers to events: intents, outcomes, fills. Pure; ids are functions of their cause.

The same step done again makes the same event id, so a repetition is visible and harmless.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.executor.broker.outcomes import BrokerOrder, Fill
from services.executor.state.book import Decision, Execution
from services.executor.state.statuses import FAILURE_OF, decision_status
from tradetrail.calls import exchange_events
from tradetrail.events.generated import (
    ApiCallRecorded,
    CallPurpose,
    DecisionStatus,
    ExecutionKept,
    FailureReason,
    OrderBlocked,
    OrderStatus,
    OrderSubmitting,
    OrderType,
    OrderUpdated,
    RiskCheck,
    TimeInForce,
    UpdateSource,
)
from tradetrail.exchange import Exchange
from tradetrail.ids import derive_id
from tradetrail.log.configuration import Stamp
from tradetrail.reports.encode import plain

ORDERS_ENDPOINT = "/v2/orders"


def execution_id(decision_id: str, attempt_number: int) -> str:
    """Return the id of an attempt."""
    return str(derive_id("execution", decision_id, attempt_number))


def client_order_id(decision_id: str, attempt_number: int) -> str:
    """Return our id at the broker for an attempt: the same whoever computes it, whenever."""
    return str(derive_id("client-order", decision_id, attempt_number))


def order_request(decision: Decision, attempt_number: int, *, queues: bool) -> str:
    """Return the exact JSON body of the order; quantities are text, so that no digit is lost."""
    body = {
        "symbol": decision.symbol,
        "qty": plain(decision.quantity),
        "side": decision.side.value,
        "type": decision.order_type.value,
        "time_in_force": (TimeInForce.DAY if queues else decision.time_in_force).value,
        "client_order_id": client_order_id(decision.decision_id, attempt_number),
    }
    if decision.order_type is OrderType.LIMIT and decision.limit_price is not None:
        body["limit_price"] = plain(decision.limit_price)
    return json.dumps(body)


@dataclass(frozen=True, slots=True)
class Progress:
    """A step in an execution's life, before it becomes an event.

    ``decision`` is what the step makes of the decision; None when it has no other execution.
    """

    status: OrderStatus
    source: UpdateSource
    order: BrokerOrder | None = None
    failure: FailureReason | None = None
    message: str | None = None
    raw: str | None = None
    decision: DecisionStatus | None = None

    @property
    def reason(self) -> FailureReason | None:
        """Return why it failed: as told, else what its status says of the broker."""
        return self.failure or FAILURE_OF.get(self.status)


@dataclass(frozen=True, slots=True)
class OrderEvents:
    """Makes the executor's events for one account."""

    stamp: Stamp
    account: str
    configuration_hash: str

    def intent(
        self, decision: Decision, request: str, checks: tuple[RiskCheck, ...], now: datetime
    ) -> OrderSubmitting:
        """Return the intent of a decision's next attempt, to be committed before the order leaves."""
        attempt = decision.next_attempt
        execution = execution_id(decision.decision_id, attempt)
        return OrderSubmitting(
            event_id=str(derive_id("order-submitting", execution)),
            **self.stamp.envelope(now),
            cause=decision.cause,
            symbol=decision.symbol,
            story_id=decision.decision_id,
            execution_id=execution,
            decision_id=decision.decision_id,
            attempt_number=attempt,
            client_order_id=client_order_id(decision.decision_id, attempt),
            account=self.account,
            side=decision.side,
            quantity=decision.quantity,
            order_type=decision.order_type,
            limit_price=decision.limit_price,
            time_in_force=TimeInForce(json.loads(request)["time_in_force"]),
            endpoint=ORDERS_ENDPOINT,
            method="POST",
            request=request,
            risk_checks=checks,
            previous_execution_id=decision.previous_execution_id,
            configuration_hash=self.configuration_hash,
            strategy_name=decision.strategy_name,
        )

    def blocked(
        self,
        decision: Decision,
        failed: RiskCheck,
        checks: tuple[RiskCheck, ...],
        now: datetime,
    ) -> OrderBlocked:
        """Return that a control refused a decision."""
        return OrderBlocked(
            event_id=str(derive_id("order-blocked", decision.decision_id, decision.next_attempt)),
            **self.stamp.envelope(now),
            cause=decision.cause,
            symbol=decision.symbol,
            story_id=decision.decision_id,
            decision_id=decision.decision_id,
            attempt_number=decision.next_attempt,
            account=self.account,
            control=failed.control,
            limit=failed.limit,
            observed=failed.observed,
            unit=failed.unit,
            explanation=failed.explanation,
            risk_checks=checks,
            configuration_hash=self.configuration_hash,
        )

    def updates(
        self,
        execution: Execution,
        progress: Progress,
        fills: Sequence[Fill],
        now: datetime,
        call_id: str | None,
    ) -> list[OrderUpdated]:
        """Return one update per fill, the last with the new status; one without fills when there are none."""
        steps: list[Fill | None] = list(fills) or [None]
        return [
            self._update(execution, progress, fill, now, call_id, is_last=index == len(steps) - 1)
            for index, fill in enumerate(steps)
        ]

    def _update(
        self,
        execution: Execution,
        progress: Progress,
        fill: Fill | None,
        now: datetime,
        call_id: str | None,
        *,
        is_last: bool,
    ) -> OrderUpdated:
        order = progress.order
        status = progress.status if is_last else OrderStatus.PARTIALLY_FILLED
        failure = progress.reason if is_last else None
        decision = progress.decision if is_last else DecisionStatus.EXECUTING
        total = execution.filled_qty_total
        if fill is not None:
            total = fill.cumulative_qty
        elif order is not None:
            total = order.filled_qty
        return OrderUpdated(
            event_id=_update_id(execution, progress, fill, status),
            **self.stamp.envelope(now),
            cause=execution.cause,
            symbol=execution.symbol,
            story_id=execution.decision_id,
            execution_id=execution.execution_id,
            decision_id=execution.decision_id,
            attempt_number=execution.attempt_number,
            client_order_id=execution.client_order_id,
            account=self.account,
            broker_order_id=order.order_id if order else execution.broker_order_id,
            status=status,
            decision_status=decision or decision_status([(status, failure)]),
            source=progress.source,
            broker_status=order.status if order else None,
            broker_at=(fill.at if fill else None) or (order.updated_at if order else None),
            filled_qty_total=total,
            fill_qty=fill.qty if fill else None,
            fill_price=fill.price if fill else None,
            filled_avg_price=order.filled_avg_price if order and is_last else None,
            failure_reason=failure,
            error_message=progress.message,
            raw_response=order.raw if order else progress.raw,
            api_call_id=call_id,
        )

    def kept(self, execution: Execution, status: OrderStatus, now: datetime) -> ExecutionKept:
        """Return the compacted state of an open execution."""
        return ExecutionKept(
            event_id=str(
                derive_id("execution-kept", execution.execution_id, status, execution.sends)
            ),
            **self.stamp.envelope(now),
            cause=execution.cause,
            symbol=execution.symbol,
            story_id=execution.decision_id,
            execution_id=execution.execution_id,
            decision_id=execution.decision_id,
            attempt_number=execution.attempt_number,
            client_order_id=execution.client_order_id,
            account=self.account,
            status=status,
            reserved_usd=execution.reserved_usd,
        )

    def call(
        self,
        exchange: Exchange,
        purpose: CallPurpose,
        call_id: str,
        now: datetime,
        about: Decision | Execution | None,
    ) -> list[ApiCallRecorded]:
        """Return the recorded call, chunk by chunk, in the story of a decision; with None in nobody's."""
        return exchange_events(
            self.stamp,
            now,
            exchange,
            call_id=call_id,
            purpose=purpose,
            decision_id=about.decision_id if about else None,
            execution_id=about.execution_id if isinstance(about, Execution) else None,
            symbol=about.symbol if about else None,
            cause=about.cause if about else None,
        )


def call_id(execution_or_decision_id: str, step: str, count: int) -> str:
    """Return the id of a vendor call: which step of which story, and the how manieth."""
    return str(derive_id("call", execution_or_decision_id, step, count))


def _update_id(
    execution: Execution, progress: Progress, fill: Fill | None, status: OrderStatus
) -> str:
    if fill is not None:
        cause: tuple[object, ...] = ("fill", fill.broker_order_id, fill.cumulative_qty.normalize())
    elif progress.order is not None:
        order = progress.order
        total = order.filled_qty.normalize()
        cause = (status, order.status, total, order.updated_at or "")
    else:
        cause = (status, progress.message or "", execution.sends)
    return str(derive_id("order-updated", execution.execution_id, *cause))
