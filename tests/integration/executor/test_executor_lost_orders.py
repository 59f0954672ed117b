"""An order that the broker accepted and does not know any more: a person settles it, with its answers as evidence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.eventually import eventually
from tests.integration.executor.harness import IN_SESSION, Desk
from tests.integration.executor.test_executor_acts import open_order, typed
from tradetrail.events.generated import DecisionStatus, OrderStatus, OrderUpdated, UpdateSource

__all__ = ["typed"]
pytestmark = pytest.mark.stack

# An order of somebody else's, as the broker's list shows it in place of ours.
OTHER = {"id": "00000000-0000-4000-8000-000000000000", "client_order_id": "another"}


def lose_orders(desk: Desk) -> None:
    """Let the broker answer 404 for each order, and list none of ours."""
    gone = {"status": 404, "code": 40410000, "message": "order not found", "until_cleared": True}
    for path in ("/v2/orders/*", "/v2/orders:by_client_order_id"):
        desk.alpaca.fault("status", method="GET", path=path, **gone)
    desk.alpaca.fault("alter", method="GET", path="/v2/orders", fields=OTHER, until_cleared=True)


def test_an_accepted_order_that_the_broker_lost_is_settled_with_its_answers_as_evidence(
    desk: Desk, typed: Any
) -> None:
    desk.alpaca.control(now=IN_SESSION)
    executor = desk.active_executor(poll_every_s=0.5, reconcile_every_s=3600)
    decision = open_order(desk, "lost")
    (order,) = desk.orders()
    # As long as the broker knows it, its word stands.
    code, refused = typed("resolve", decision.decision_id, "cancelled")
    assert code == 1
    assert "its word stands" in refused["explanation"]
    lose_orders(desk)
    eventually(executor.health, lambda health: "404" in "".join(health["troubled"].values()))
    code, answer = typed(
        "resolve", decision.decision_id, "cancelled", "--qty", "4", "--price", "90.5"
    )
    assert code == 0, answer
    last = desk.of(OrderUpdated, decision)[-1]
    assert (last.source, last.status) == (UpdateSource.OPERATOR, OrderStatus.CANCELLED)
    assert (last.filled_qty_total, last.fill_price) == (Decimal(4), Decimal("90.5"))
    assert last.decision_status is DecisionStatus.FAILED
    evidence = desk.calls(decision)[-3:]
    assert [(call.endpoint, call.status_code) for call in evidence] == [
        (f"/v2/orders/{order['id']}", 404),
        ("/v2/orders:by_client_order_id", 404),
        ("/v2/orders", 200),
    ]
    assert last.api_call_id == evidence[0].call_id
    eventually(executor.health, lambda health: not health["unanswered"])
    assert executor.health()["troubled"] == {}
    # It is over now: nothing settles it twice.
    assert typed("resolve", decision.decision_id, "filled", "--qty", "10", "--price", "90")[0] == 1
