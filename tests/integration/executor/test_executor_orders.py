"""An executor with a real log and a simulated broker: from a decision to its one outcome."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from tests.eventually import eventually
from tests.integration.executor.harness import (
    AFTER_CLOSE,
    IN_SESSION,
    Desk,
    Gate,
    decision_made,
)
from tradetrail.events.generated import (
    CallPurpose,
    Control,
    DecisionStatus,
    FailureReason,
    OperatorAct,
    OperatorActed,
    OrderBlocked,
    OrderSubmitting,
    OrderUpdated,
    Side,
)

pytestmark = pytest.mark.stack


def test_a_market_order_waits_for_the_open_and_fills_once(desk: Desk) -> None:
    process = desk.active_executor()
    decision = decision_made("happy")
    desk.decide(decision)
    eventually(process.health, lambda health: health["waiting"] == 1)
    assert desk.orders() == []

    desk.alpaca.control(now=IN_SESSION)
    desk.eventually_over(decision)

    (order,) = desk.orders()
    assert order["status"] == "filled"
    (intent,) = desk.of(OrderSubmitting, decision)
    assert intent.client_order_id == order["client_order_id"]
    assert all(check.passed for check in intent.risk_checks)
    last = desk.of(OrderUpdated, decision)[-1]
    assert last.decision_status is DecisionStatus.EXECUTED
    assert last.filled_qty_total == last.fill_qty == Decimal(10)
    assert last.fill_price == last.filled_avg_price == Decimal(101)
    assert [call.purpose for call in desk.calls(decision)][:4] == [
        CallPurpose.PORTFOLIO_CONTEXT,
        CallPurpose.PORTFOLIO_CONTEXT,
        CallPurpose.MARKET_CONTEXT,
        CallPurpose.ORDER_SUBMIT,
    ]
    health = eventually(process.health, lambda health: health["unanswered"] == 0)
    assert health["waiting"] == health["runnable"] == health["unknown"] == 0
    assert process.stop() == 0


def test_controls_block_what_the_account_cannot_pay(desk: Desk) -> None:
    desk.alpaca.control(account={"cash": "500"}, now=IN_SESSION)
    desk.active_executor()
    decision = decision_made("too-dear", quantity="10", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)

    (blocked,) = desk.of(OrderBlocked, decision)
    assert blocked.control is Control.BUYING_POWER
    assert (blocked.limit, blocked.observed, blocked.unit) == (Decimal(500), Decimal(1010), "USD")
    assert desk.orders() == []


def test_the_brokers_refusal_ends_the_decision_in_its_own_words(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor()
    # Something else has used the buying power since the controls looked.
    desk.alpaca.control(
        fault={
            "kind": "status",
            "status": 403,
            "code": 40310000,
            "message": "insufficient buying power",
            "method": "POST",
            "path": "/v2/orders",
        }
    )
    decision = decision_made("refused", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)

    (update,) = desk.of(OrderUpdated, decision)
    assert update.failure_reason is FailureReason.INSUFFICIENT_BUYING_POWER
    assert update.error_message == "insufficient buying power"
    assert update.decision_status is DecisionStatus.FAILED
    assert desk.orders() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 504, "when": "after", "body": "html"},
        {"kind": "status", "status": 500, "when": "after"},
        {"kind": "drop", "when": "after"},
        {"kind": "truncate"},
        {"kind": "truncate", "cut": True},
        {"kind": "late", "delay_ms": 300},
    ],
    ids=["504-html", "500", "lost-answer", "half-answer", "cut-answer", "late"],
)
def test_an_unclear_answer_is_looked_up_never_resent(desk: Desk, fault: dict[str, object]) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(lookup_every_s=0.1)
    desk.alpaca.control(fault={**fault, "method": "POST", "path": "/v2/orders"})
    decision = decision_made("unclear", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)

    assert len(desk.orders()) == 1
    story = desk.statuses(decision)
    assert story[:2] == ["submitting", "unknown"]
    assert story[-1] == "filled"
    assert story.count("submitting") == 1


def test_an_order_that_never_arrived_is_sent_again_under_its_old_id(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(lookup_every_s=0.1, not_found_for_s=0.5)
    desk.alpaca.control(
        fault={"kind": "drop", "when": "before", "method": "POST", "path": "/v2/orders"}
    )
    decision = decision_made("lost", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)

    (order,) = desk.orders()
    (intent,) = desk.of(OrderSubmitting, decision)
    assert order["client_order_id"] == intent.client_order_id
    assert desk.statuses(decision)[:3] == ["submitting", "unknown", "submitting"]


def test_an_order_that_never_arrived_is_not_sent_again_under_a_halt(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    process = desk.active_executor(lookup_every_s=0.1, not_found_for_s=0.5)
    desk.alpaca.fault("drop", when="before", method="POST", path="/v2/orders")
    # However slow all is, no look-up says "not found" before the executor knows of the halt.
    desk.alpaca.fault("status", method="GET", path="/v2/orders*", status=503, until_cleared=True)
    decision = decision_made("lost", at=IN_SESSION)
    desk.decide(decision)
    eventually(lambda: desk.statuses(decision), lambda story: "unknown" in story)
    desk.tell("everything", halt())
    eventually(process.health, lambda health: "everything" in health["halted"])
    desk.alpaca.control(clear_faults=True)
    desk.eventually_over(decision)

    assert desk.orders() == []
    last = desk.of(OrderUpdated, decision)[-1]
    assert desk.statuses(decision) == ["submitting", "unknown", "error"]
    assert (last.decision_status, last.failure_reason) == (
        DecisionStatus.FAILED,
        FailureReason.NOT_SENT,
    )


def test_an_order_hidden_from_look_ups_is_not_doubled(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(lookup_every_s=0.1, not_found_for_s=0.3)
    desk.alpaca.control(
        fault={
            "kind": "status",
            "status": 504,
            "when": "after",
            "method": "POST",
            "path": "/v2/orders",
        }
    )
    desk.alpaca.control(fault={"kind": "hide_order_lookups", "count": 8})
    decision = decision_made("hidden", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)

    assert len(desk.orders()) == 1
    assert desk.statuses(decision)[-1] == "filled"


def test_an_order_that_look_ups_never_find_is_found_in_the_list_and_not_sent_again(
    desk: Desk,
) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(lookup_every_s=0.1, not_found_for_s=0.3)
    post = {"method": "POST", "path": "/v2/orders"}
    desk.alpaca.control(fault={"kind": "status", "status": 504, "when": "after", **post})
    desk.alpaca.control(fault={"kind": "hide_order_lookups", "until_cleared": True})
    decision = decision_made("denied", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)

    assert desk.statuses(decision) == ["submitting", "unknown", "filled"]
    assert list(desk.alpaca.book()["order_posts"].values()) == [1]
    told = {call.call_id: call for call in desk.calls(decision)}
    last = desk.of(OrderUpdated, decision)[-1]
    assert told[last.api_call_id or ""].endpoint == "/v2/orders:by_client_order_id"
    assert "/v2/orders" in {call.endpoint for call in told.values() if call.method == "GET"}


def test_orders_wait_in_order_while_the_broker_refuses_connections(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    gate = Gate(desk.alpaca.url)
    process = desk.executor({"TRADETRAIL_ALPACA_URL": gate.url})
    process.wait_active()
    decisions = [
        decision_made("first", strength="1", at=IN_SESSION),
        decision_made("second", strength="9", at=IN_SESSION, quantity="11"),
        decision_made("other", "HOLE", strength="3", price="50", at=IN_SESSION),
    ]
    desk.decide(*decisions)
    eventually(
        process.health,
        lambda health: health["broker"].startswith("broker: ") and health["runnable"] == 3,
    )
    gate.open()
    try:
        desk.eventually_over(*decisions[:2])
    finally:
        gate.close()
    quantities = [o["qty"] for o in desk.orders() if o["symbol"] == "ACME"]
    assert quantities == ["10", "11"]


def test_the_strongest_signal_goes_first(desk: Desk) -> None:
    # On one connection, that the broker sees them in the order in which they were sent.
    process = desk.active_executor(parallel_requests=1)
    weak = decision_made("weak", "ACME", strength="2")
    strong = decision_made("strong", "SPLT", strength="8", price="402", quantity="3")
    desk.decide(weak, strong)
    eventually(process.health, lambda health: health["waiting"] == 2)
    desk.alpaca.control(now=IN_SESSION)
    desk.eventually_over(weak, strong)
    assert [order["symbol"] for order in desk.orders()] == ["SPLT", "ACME"]


def test_each_part_of_a_fill_is_recorded_once(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor()
    desk.alpaca.control(fault={"kind": "partial_fill", "fractions": ["0.3", "0.2"]})
    decision = decision_made("parts", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)
    updates = desk.of(OrderUpdated, decision)
    fills = [u for u in updates if u.fill_qty is not None]
    assert [u.fill_qty for u in fills] == [Decimal(3), Decimal(2), Decimal(5)]
    assert [u.filled_qty_total for u in fills] == [Decimal(3), Decimal(5), Decimal(10)]
    assert updates[-1].filled_qty_total == Decimal(10)


def test_polling_alone_finds_fills_and_expiry(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(stream="false", poll_every_s=0.2)
    filled = decision_made("filled", at=IN_SESSION)
    expired = decision_made("expired", "SPLT", at=IN_SESSION, limit_price="300", quantity="1")
    desk.decide(filled, expired)
    desk.eventually_over(filled)
    eventually(lambda: desk.statuses(expired), lambda story: story and story[-1] == "accepted")
    desk.alpaca.control(now=AFTER_CLOSE)
    desk.eventually_over(expired)
    (fill,) = [u for u in desk.of(OrderUpdated, filled) if u.fill_qty is not None]
    assert (fill.fill_qty, fill.fill_price) == (Decimal(10), Decimal(101))
    last = desk.of(OrderUpdated, expired)[-1]
    assert (last.decision_status, last.failure_reason) == (
        DecisionStatus.FAILED,
        FailureReason.EXPIRED,
    )


def halt() -> OperatorActed:
    """Return an operator's halt of everything."""
    return OperatorActed(
        event_id=str(uuid4()),
        occurred_at=decision_made("x").occurred_at,
        service="cli",
        service_version="0",
        instance="test",
        act=OperatorAct.HALT,
        operator="ann",
        why="test",
        scope="everything",
        arguments="{}",
    )


def test_a_halt_in_the_log_stops_the_next_order(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor()
    decision = decision_made("halted", at=IN_SESSION)
    desk.tell("everything", halt())
    desk.decide(decision)
    desk.eventually_over(decision)
    assert desk.statuses(decision) == ["blocked halt"]
    assert desk.orders() == []


def test_a_sell_is_never_a_short(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor()
    decision = decision_made("short", side=Side.SELL, at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)
    assert desk.statuses(decision) == ["blocked position_limit"]


def test_foreign_and_broken_events_are_skipped(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    process = desk.active_executor()
    foreign = Producer({"bootstrap.servers": desk.settings.kafka, "partitioner": "murmur2_random"})
    topic = desk.topics.for_symbol("ACME")
    for value in (b"not avro", b"\x00\x7f\xff\xff\xffbody", None, b""):
        foreign.produce(topic, key=b"ACME", value=value)
    foreign.flush(10)
    decision = decision_made("after-poison", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)
    assert desk.statuses(decision)[-1] == "filled"
    assert process.health()["skipped_events"] == 4
