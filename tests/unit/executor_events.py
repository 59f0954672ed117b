"""Small orders for unit tests of the executor."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from services.executor.book import Decision
from services.executor.orders import OrderEvents, order_request
from services.executor.statuses import DECISION_OF
from tradetrail.events.generated import (
    Cause,
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


def intent_of(decision: Decision) -> OrderSubmitting:
    """Return the intent of a decision."""
    return EVENTS.intent(decision, order_request(decision, 1, queues=False), (), NOW)


def update_of(intent: OrderSubmitting, status: OrderStatus, total: str = "0") -> OrderUpdated:
    """Return an update of the execution that ``intent`` began."""
    return OrderUpdated(
        event_id="u",
        **EVENTS.stamp.envelope(NOW),
        symbol=intent.symbol,
        story_id=intent.decision_id,
        execution_id=intent.execution_id,
        decision_id=intent.decision_id,
        attempt_number=1,
        client_order_id=intent.client_order_id,
        account=ACCOUNT,
        status=status,
        decision_status=DECISION_OF[status],
        source=UpdateSource.POLL,
        filled_qty_total=Decimal(total),
    )
