"""Small orders for unit tests of the executor."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from services.executor.recording.orders import OrderEvents, order_request
from services.executor.state.book import Decision
from services.executor.state.statuses import decision_status
from tradetrail.events.generated import (
    Cause,
    DecisionStatus,
    FailureReason,
    OrderStatus,
    OrderSubmitting,
    OrderUpdated,
    UpdateSource,
)
from tradetrail.log.configuration import Stamp

ACCOUNT = "paper"
NOW = datetime(2020, 8, 25, 13, 31, tzinfo=UTC)
EVENTS = OrderEvents(Stamp("executor", "test"), ACCOUNT, "0")


def at(offset: int, event_id: str = "e") -> Cause:
    """Return a place in the one partition of these tests."""
    return Cause(topic="trade.default", partition=0, offset=offset, event_id=event_id)


def intent_of(decision: Decision, when: datetime = NOW) -> OrderSubmitting:
    """Return the intent of a decision's next attempt."""
    request = order_request(decision, decision.next_attempt, queues=False)
    return EVENTS.intent(decision, request, (), when)


def update_of(
    intent: OrderSubmitting,
    status: OrderStatus,
    total: str = "0",
    *,
    fill: str | None = None,
    makes: DecisionStatus | None = None,
    failure: FailureReason | None = None,
    when: datetime = NOW,
    name: str = "u",
) -> OrderUpdated:
    """Return an update of the execution that ``intent`` began, as if it were the decision's only one.

    All of ``total`` is one fill unless ``fill`` says otherwise.
    """
    shares = Decimal(total if fill is None else fill)
    return OrderUpdated(
        event_id=name,
        **EVENTS.stamp.envelope(when),
        symbol=intent.symbol,
        story_id=intent.decision_id,
        execution_id=intent.execution_id,
        decision_id=intent.decision_id,
        attempt_number=intent.attempt_number,
        client_order_id=intent.client_order_id,
        account=ACCOUNT,
        status=status,
        decision_status=makes or decision_status([(status, failure)]),
        source=UpdateSource.POLL,
        filled_qty_total=Decimal(total),
        fill_qty=shares or None,
        failure_reason=failure,
    )
