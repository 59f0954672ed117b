"""A finding as an event. Pure; its id is a function of the order and of the state that matters."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from services.executor.reconciling.discoveries import Finding, fields_of, matter_of
from services.executor.recording.orders import OrderEvents
from services.executor.state.book import Book
from tradetrail.events.generated import BrokerOrderDiscovered, Side
from tradetrail.ids import derive_id

MANUAL = "manual"
# As fine as the log keeps shares and prices.
_STEP = Decimal("1e-9")


def discovered(
    events: OrderEvents, book: Book, finding: Finding, now: datetime
) -> BrokerOrderDiscovered:
    """Return that the broker has an order which the log lacked; ``now`` is the injected clock's instant."""
    order, execution = finding.order, finding.execution
    content = fields_of(order)
    decision = book.decisions.get(execution.decision_id) if execution else None
    status, filled = matter_of(order.status, order.filled_qty)
    symbol = str(content.get("symbol") or (execution.symbol if execution else ""))
    side = str(content.get("side"))
    return BrokerOrderDiscovered(
        event_id=str(
            derive_id("broker-order-discovered", events.account, order.order_id, status, filled)
        ),
        **events.stamp.envelope(now),
        cause=execution.cause if execution else None,
        symbol=symbol or None,
        story_id=execution.decision_id if execution else None,
        account=events.account,
        broker_order_id=order.order_id,
        client_order_id=order.client_order_id,
        strategy_name=decision.strategy_name if decision else MANUAL,
        side=Side(side) if side in ("buy", "sell") else Side.UNRECOGNISED,
        # An order for an amount of money names no shares: what was filled is what there is.
        quantity=_number(content.get("qty")) or order.filled_qty,
        broker_status=order.status,
        filled_qty_total=order.filled_qty,
        filled_avg_price=_number(order.filled_avg_price),
        submitted_at=order.submitted_at,
        raw_response=order.raw,
        decision_id=execution.decision_id if execution else None,
        execution_id=execution.execution_id if execution else None,
        explanation=finding.explanation,
    )


def _number(value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        return Decimal(value).quantize(_STEP, ROUND_DOWN)
    except (InvalidOperation, TypeError, ValueError):
        return None
