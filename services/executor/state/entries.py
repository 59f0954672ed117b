"""What the book holds of a decision and of its executions, each as the log tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from services.executor.state.statuses import decision_status
from tradetrail.errors import Poison
from tradetrail.events.generated import (
    Cause,
    Control,
    DecisionMade,
    DecisionStatus,
    FailureReason,
    OrderStatus,
    OrderSubmitting,
    OrderType,
    Side,
    TimeInForce,
)

ZERO = Decimal(0)
POST, PATCH = "POST", "PATCH"
Equality = tuple[str, str, Side, Decimal]
"""What makes two orders equal for the duplicate control: strategy, symbol, side, quantity."""
State = tuple[OrderStatus, str | None, Decimal]
"""An execution's status, the broker's word for it, and the shares filled in all."""


@dataclass(slots=True)
class Execution:
    """One attempt of a decision. ``sends`` counts how often it was about to be sent; ``cause`` is its intent.

    ``began_at`` and ``changed_at`` are instants of the events that began and last changed it, UTC; ``notional_usd`` is
    what the intent reserved of the daily limit. ``cancelled_by`` is the act of a person that had it cancelled, and
    ``act_id`` the one that asked for it, of a replacement.
    """

    execution_id: str
    decision_id: str
    symbol: str
    attempt_number: int
    client_order_id: str
    request: str
    side: Side
    quantity: Decimal
    cause: Cause
    began_at: datetime
    changed_at: datetime
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    method: str = POST
    endpoint: str = ""
    previous_execution_id: str | None = None
    notional_usd: Decimal = ZERO
    reserved_usd: Decimal = ZERO
    status: OrderStatus = OrderStatus.SUBMITTING
    sends: int = 1
    broker_order_id: str | None = None
    broker_status: str | None = None
    filled_qty_total: Decimal = ZERO
    filled_avg_price: Decimal | None = None
    failure: FailureReason | None = None
    cancelled_by: str | None = None
    act_id: str | None = None

    @property
    def state(self) -> State:
        """Return what tells whether it changed at the broker: an answer from before a change may be the older one."""
        return self.status, self.broker_status, self.filled_qty_total

    @property
    def is_replacement(self) -> bool:
        """Return whether it changes an open order rather than making one."""
        return self.method == PATCH

    @property
    def replaces(self) -> str | None:
        """Return the broker's id of the order it changes; None when it makes one."""
        return self.endpoint.rpartition("/")[2] if self.is_replacement else None


@dataclass(slots=True)
class Decision:
    """A decision and what has become of it. ``cause`` is its own place in the log; ``attempts`` in order.

    ``changed_at`` is the instant of the event that last changed it, UTC.
    """

    decision_id: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    strategy_name: str
    signal_strength: Decimal
    decided_at: datetime
    price: Decimal | None
    cause: Cause
    changed_at: datetime
    status: DecisionStatus = DecisionStatus.PENDING
    attempts: list[Execution] = field(default_factory=list)

    @property
    def next_attempt(self) -> int:
        """Return the number that its next attempt will have, from 1."""
        return max((each.attempt_number for each in self.attempts), default=0) + 1

    @property
    def previous_execution_id(self) -> str | None:
        """Return the execution that a retry follows; None for the first attempt."""
        return self.attempts[-1].execution_id if self.attempts else None

    def status_with(
        self, execution_id: str, status: OrderStatus, failure: FailureReason | None
    ) -> DecisionStatus:
        """Return what the executions make of it once ``execution_id`` is ``status``; a retry is not thought of."""
        return decision_status(
            (status, failure) if each.execution_id == execution_id else (each.status, each.failure)
            for each in self.attempts
        )


@dataclass(slots=True)
class DayUse:
    """What one New York day has used of the daily limits."""

    order_count: int = 0
    notional_usd: Decimal = ZERO


def decided(event: DecisionMade, at: Cause) -> Decision:
    """Return the decision that an event at this place tells of. Raises Poison for one without a symbol."""
    if event.symbol is None:
        raise Poison(f"decision {event.decision_id} names no symbol")
    market = event.rationale.market_context
    return Decision(
        decision_id=event.decision_id,
        symbol=event.symbol,
        side=event.side,
        quantity=event.quantity,
        order_type=event.order_type,
        limit_price=event.limit_price,
        time_in_force=event.time_in_force,
        strategy_name=event.strategy_name,
        signal_strength=event.rationale.signal_strength,
        decided_at=event.occurred_at,
        price=market.current_price if market else None,
        cause=at,
        changed_at=event.occurred_at,
    )


def begun(event: OrderSubmitting, symbol: str, at: Cause) -> Execution:
    """Return the execution that an intent begins; ``at`` is the intent's place."""
    notional = _notional(event)
    return Execution(
        execution_id=event.execution_id,
        decision_id=event.decision_id,
        symbol=symbol,
        attempt_number=event.attempt_number,
        client_order_id=event.client_order_id,
        request=event.request,
        side=event.side,
        quantity=event.quantity,
        cause=at,
        began_at=event.occurred_at,
        changed_at=event.occurred_at,
        order_type=event.order_type,
        limit_price=event.limit_price,
        time_in_force=event.time_in_force,
        method=event.method,
        endpoint=event.endpoint,
        previous_execution_id=event.previous_execution_id,
        notional_usd=notional,
        reserved_usd=notional if event.side is Side.BUY else ZERO,
        act_id=event.cause.event_id if event.method == PATCH and event.cause else None,
    )


def equality(decision: Decision) -> Equality:
    """Return what makes two orders equal for the duplicate control."""
    return (decision.strategy_name, decision.symbol, decision.side, decision.quantity)


def _notional(event: OrderSubmitting) -> Decimal:
    for check in event.risk_checks:
        if check.control is Control.ORDER_NOTIONAL and check.observed is not None:
            return check.observed
    return event.quantity * (event.limit_price or ZERO)
