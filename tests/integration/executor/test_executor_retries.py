"""Another try after a refusal for the rate limit: opt-in, announced in the log, and done also by who comes next."""

from __future__ import annotations

import time
from functools import partial

import pytest

from tests.eventually import eventually
from tests.integration.executor.harness import IN_SESSION, Desk, decision_made
from tradetrail.events.generated import (
    DecisionStatus,
    FailureReason,
    OrderStatus,
    OrderSubmitting,
    OrderUpdated,
)

pytestmark = pytest.mark.stack

# The retry's pause is told by the injected clock, which stands still until a test moves it.
RETRY_DUE = "2020-08-25T13:32:00+00:00"


def refuse(desk: Desk, symbol: str, times: int) -> None:
    """Let the broker say 429 to the next orders of a symbol; its window is over at once."""
    desk.alpaca.fault(
        "status",
        method="POST",
        path="/v2/orders",
        symbol=symbol,
        status=429,
        message="too many requests.",
        headers={"x-ratelimit-reset": str(int(time.time()))},
        count=times,
    )


def test_an_order_refused_for_the_rate_limit_is_tried_again_by_the_next_executor(
    desk: Desk,
) -> None:
    desk.alpaca.control(now=IN_SESSION)
    refuse(desk, "ACME", 1)
    refuse(desk, "SPLT", 2)
    once = decision_made("once", "ACME", at=IN_SESSION)
    twice = decision_made("twice", "SPLT", price="402", quantity="2", at=IN_SESSION)
    # Behind it in its symbol: it must not overtake.
    behind = decision_made("behind", "ACME", quantity="3", at=IN_SESSION)
    first = desk.active_executor(retries_max=1, retry_after_s=30)
    desk.decide(once, twice, behind)
    for decision in (once, twice):
        eventually(partial(desk.statuses, decision), lambda story: "rejected" in story)
        (refused,) = desk.of(OrderUpdated, decision)
        assert refused.failure_reason is FailureReason.RATE_LIMIT_EXCEEDED
        assert refused.decision_status is DecisionStatus.EXECUTING
    first.kill()
    # What was announced is done, also by an executor that would announce no retry itself.
    desk.active_executor(retries_max=0)
    assert desk.orders() == []
    desk.alpaca.control(now=RETRY_DUE)
    desk.eventually_over(behind)
    eventually(partial(desk.statuses, twice), lambda story: story.count("rejected") == 2)

    intents = desk.of(OrderSubmitting, once)
    assert [each.attempt_number for each in intents] == [1, 2]
    assert intents[1].previous_execution_id == intents[0].execution_id
    assert intents[0].client_order_id != intents[1].client_order_id
    assert all(check.passed for check in intents[1].risk_checks)
    last = desk.of(OrderUpdated, once)[-1]
    assert (last.status, last.decision_status) == (OrderStatus.FILLED, DecisionStatus.EXECUTED)
    given_up = desk.of(OrderUpdated, twice)[-1]
    assert given_up.attempt_number == 2
    assert given_up.decision_status is DecisionStatus.FAILED
    assert given_up.failure_reason is FailureReason.RATE_LIMIT_EXCEEDED
    (of_behind,) = desk.of(OrderSubmitting, behind)
    assert [order["client_order_id"] for order in desk.orders()] == [
        intents[1].client_order_id,
        of_behind.client_order_id,
    ]
