"""Every shape of order that a strategy may be configured to give, from the log to the broker and back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.eventually import eventually
from tests.integration.executor.harness import AFTER_CLOSE, IN_SESSION, Desk, decision_made
from tradetrail.events.generated import OrderSubmitting, OrderUpdated, TimeInForce

pytestmark = pytest.mark.stack


def test_fractions_and_limits_reach_the_broker_as_they_were_decided(desk: Desk) -> None:
    desk.active_executor(poll_every_s=0.5)
    fraction = decision_made("fraction", quantity="3.003003003", at=IN_SESSION)
    limit = decision_made(
        "limit", "SPLT", quantity="0.5", limit_price="410.25", price="400", at=IN_SESSION
    )
    desk.alpaca.control(now=IN_SESSION)
    desk.decide(fraction, limit)
    desk.eventually_over(fraction, limit)
    assert desk.statuses(fraction)[-1] == desk.statuses(limit)[-1] == "filled"
    last = desk.of(OrderUpdated, fraction)[-1]
    assert last.filled_qty_total == Decimal("3.003003003")
    (intent,) = desk.of(OrderSubmitting, limit)
    assert (intent.quantity, intent.limit_price) == (Decimal("0.5"), Decimal("410.25"))


def test_an_order_till_cancelled_stays_open_after_the_close(desk: Desk) -> None:
    process = desk.active_executor(poll_every_s=0.5)
    day = decision_made("day", limit_price="1", at=IN_SESSION)
    lasting = replace(
        decision_made("gtc", "SPLT", limit_price="1", at=IN_SESSION), time_in_force=TimeInForce.GTC
    )
    desk.alpaca.control(now=IN_SESSION)
    desk.decide(day, lasting)
    eventually(desk.orders, lambda orders: len(orders) == 2)
    desk.alpaca.control(now=AFTER_CLOSE)
    desk.eventually_over(day)
    assert desk.statuses(day)[-1] == "expired"
    assert eventually(process.health, lambda health: health["unanswered"] == 1)
    assert desk.statuses(lasting)[-1] in ("submitted", "accepted")
    (intent,) = desk.of(OrderSubmitting, lasting)
    assert intent.time_in_force is TimeInForce.GTC
