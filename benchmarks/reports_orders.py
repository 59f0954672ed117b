"""What the reports' benchmark seeds of orders: intents, what the broker says of them, and what controls refuse."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from benchmarks.reports_templates import (
    AT,
    FILL,
    FILLED,
    HASH,
    ID_OF,
    PRICE,
    QUANTITY,
    SYMBOL,
    envelope,
)
from tradetrail.events import generated as e

ACCOUNT = "paper"
_STATE, _OF = e.OrderStatus, e.DecisionStatus
STATES: dict[str, tuple[Any, ...]] = {
    "accepted": (_STATE.ACCEPTED, _OF.EXECUTING, Decimal(0), None),
    "partly": (_STATE.PARTIALLY_FILLED, _OF.EXECUTING, FILL, FILL),
    "filled": (_STATE.FILLED, _OF.EXECUTED, QUANTITY, QUANTITY),
    "rest filled": (_STATE.FILLED, _OF.EXECUTED, QUANTITY, FILLED),
    "rejected": (
        *(_STATE.REJECTED, _OF.FAILED, Decimal(0), None),
        *(e.FailureReason.INSUFFICIENT_BUYING_POWER, "insufficient buying power"),
    ),
    "expired": (
        *(_STATE.EXPIRED, _OF.FAILED, FILL, None),
        *(e.FailureReason.EXPIRED, "the day was over"),
    ),
    "cancelled": (
        *(_STATE.CANCELLED, _OF.CANCELLED, Decimal(0), None),
        *(e.FailureReason.OPERATOR_CANCELLED, "cancelled by a person"),
    ),
    "unknown": (
        *(_STATE.UNKNOWN, _OF.EXECUTING, Decimal(0), None),
        *(e.FailureReason.BROKER_UNAVAILABLE, "the answer did not come"),
    ),
}


def _check(control: e.Control, *, passed: bool) -> e.RiskCheck:
    return e.RiskCheck(
        control=control,
        passed=passed,
        limit=Decimal(10_000),
        observed=Decimal("723.30"),
        unit="USD",
        explanation="the value against its limit",
    )


def submitting(side: e.Side) -> e.OrderSubmitting:
    """Return an intent with two controls that it passed."""
    controls = (e.Control.ORDER_NOTIONAL, e.Control.BUYING_POWER)
    return e.OrderSubmitting(
        **envelope("executor"),
        execution_id=ID_OF["execution"],
        decision_id=ID_OF["decision"],
        attempt_number=1,
        client_order_id=ID_OF["execution"],
        account=ACCOUNT,
        side=side,
        quantity=QUANTITY,
        order_type=e.OrderType.MARKET,
        time_in_force=e.TimeInForce.DAY,
        endpoint="/v2/orders",
        method="POST",
        request=f'{{"symbol":"{SYMBOL}","side":"{side}","type":"market"}}',
        risk_checks=tuple(_check(control, passed=True) for control in controls),
        configuration_hash=HASH,
    )


def updated(
    status: e.OrderStatus,
    decided: e.DecisionStatus,
    total: Decimal,
    fill: Decimal | None,
    reason: e.FailureReason | None = None,
    message: str | None = None,
) -> e.OrderUpdated:
    """Return what the broker said: a state, shares filled in all and now, and why not."""
    answer = {"id": ID_OF["order"], "symbol": SYMBOL, "status": str(status)}
    known = status is not e.OrderStatus.UNKNOWN
    return e.OrderUpdated(
        **envelope("executor"),
        execution_id=ID_OF["execution"],
        decision_id=ID_OF["decision"],
        attempt_number=1,
        client_order_id=ID_OF["execution"],
        account=ACCOUNT,
        broker_order_id=ID_OF["order"] if known else None,
        status=status,
        decision_status=decided,
        source=e.UpdateSource.STREAM,
        broker_status=str(status) if known else None,
        broker_at=AT if known else None,
        filled_qty_total=total,
        fill_qty=fill,
        fill_price=None if fill is None else PRICE,
        filled_avg_price=PRICE if total else None,
        commission=None,
        failure_reason=reason,
        error_message=message,
        raw_response=json.dumps(answer) if known else None,
    )


def blocked() -> e.OrderBlocked:
    """Return an order that a control refused."""
    return e.OrderBlocked(
        **envelope("executor"),
        decision_id=ID_OF["decision"],
        attempt_number=1,
        account=ACCOUNT,
        control=e.Control.BUYING_POWER,
        limit=Decimal(10_000),
        observed=Decimal("12345.6"),
        unit="USD",
        explanation="12345.6 USD is more than 10000 USD",
        risk_checks=(_check(e.Control.BUYING_POWER, passed=False),),
        configuration_hash=HASH,
    )
