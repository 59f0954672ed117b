"""What needs a person's eye, for tests of one trade's trail, unresolved orders, people's acts and what is held.

By name, besides the story of auditor_story, whose d3 the broker has filled: twice (IBM) rejected at first and filled by
a second order, with a call; lost (MSFT) unknown, looked up in vain, with "behind" waiting; sent (GE) about to be sent,
no answer; open (F) a person's limit order, filled in part. Acts: ann halted everything and resumed, bob cancelled
"dropped" (NVDA), eve's reconcile has no answer.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from tests import auditor_story as story
from tradetrail.events import Event
from tradetrail.events import generated as e

DAY = timedelta(days=1)
LOST_AT, SENT_AT = story.BEGIN + 3 * DAY, story.BEGIN + 4 * DAY
OPEN_AT = story.BEGIN + 5 * DAY
ACTED_AT = story.BEGIN + 6 * DAY
# Calls that look for the lost order: the second one's answer changed nothing.
LOOKED_AT = LOST_AT + timedelta(minutes=9), LOST_AT + timedelta(minutes=20)
_CHECKS = tuple(
    e.RiskCheck(
        control=control,
        passed=passed,
        limit=Decimal(limit),
        observed=Decimal(observed),
        unit="USD",
        explanation=f"{observed} USD against {limit} USD",
    )
    for control, passed, limit, observed in (
        (e.Control.ORDER_NOTIONAL, True, "10000", "723.30"),
        (e.Control.BUYING_POWER, False, "100", "723"),
    )
)


def told() -> list[tuple[str, str, Event]]:
    """Return the story as (topic without prefix, key, event)."""
    placed = [
        (t, k, replace(v, risk_checks=_CHECKS) if isinstance(v, e.OrderBlocked) else v)
        for t, k, v in story.placed_story()
    ]
    found = replace(
        story.broker_order(),
        event_id=story.an_id("found", "d3"),
        broker_order_id="broker-d3-1",
        decision_id=story.an_id("d", "d3"),
        execution_id=story.an_id("x", "d3", 1),
        explanation="recorded as rejected, filled at the broker",
    )
    placed.append(("megacap", "AAPL", found))
    trades = [*_twice(), *_lost(), *_sent(), *_open()]
    placed += [("megacap", "AAPL", call) for call in _account()]
    return [*placed, *(("default", event.symbol or "", event) for event in trades), *_acts()]


def act(name: str) -> e.OperatorActed:
    """Return a person's act: bob's cancel, ann's resume, eve's reconcile."""
    kind, operator, after = {
        "cancel": (e.OperatorAct.CANCEL_ORDER, "bob", timedelta(0)),
        "resume": (e.OperatorAct.RESUME, "ann", timedelta(hours=1)),
        "reconcile": (e.OperatorAct.RECONCILE, "eve", timedelta(hours=2)),
    }[name]
    of_order = name == "cancel"
    return e.OperatorActed(
        **story.envelope("act", name, at=ACTED_AT + after, symbol="NVDA" if of_order else None),
        act=kind,
        operator=operator,
        why=f"why {name}",
        scope=story.an_id("d", "dropped") if of_order else "everything",
        arguments='{"n": 1.50}',
        decision_id=story.an_id("d", "dropped") if of_order else None,
    )


def _acts() -> list[tuple[str, str, Event]]:
    members = [
        replace(
            story.operator_answer(act("resume")),
            event_id=story.an_id("answer", "resume", member),
            occurred_at=ACTED_AT + timedelta(hours=1, seconds=seconds),
            member_id=member,
            is_active=member == "m-1",
            outcome=outcome,
            explanation=f"{member} has gone on",
        )
        for member, seconds, outcome in (
            ("m-2", 3, e.AnswerOutcome.ACKNOWLEDGED),
            ("m-1", 2, e.AnswerOutcome.DONE),
        )
    ]
    cancelled = story.operator_answer(act("cancel"), "dropped", symbol="NVDA")
    return [
        ("default", "NVDA", story.decision("dropped", "NVDA", at=ACTED_AT - DAY)),
        ("default", "NVDA", act("cancel")),
        ("default", "NVDA", replace(cancelled, occurred_at=ACTED_AT + timedelta(seconds=1))),
        ("control", "halt", act("resume")),
        *(("account", "paper", member) for member in members),
        ("account", "paper", act("reconcile")),
    ]


def _account() -> list[e.ApiCallRecorded]:
    """Return two answers of the broker about the account; the newer one stands first."""
    return [
        replace(
            story.api_call(f"account-{cash}"),
            run_id=None,
            vendor="alpaca",
            endpoint="/v2/account",
            purpose=e.CallPurpose.PORTFOLIO_CONTEXT,
            requested_at=at,
            body=body,
            body_sha256=hashlib.sha256(body).hexdigest(),
        )
        for cash, at in (("5000.10", ACTED_AT), ("9999", story.BEGIN))
        for body in [
            f'{{"cash": "{cash}", "buying_power": "10000.20", "portfolio_value": "20000"}}'.encode()
        ]
    ]


def _twice() -> list[Event]:
    """Return a decision whose first order was rejected, and whose second one filled."""
    at = story.BEGIN + 2 * DAY
    call = replace(
        story.api_call("twice"),
        run_id=None,
        decision_id=story.an_id("d", "twice"),
        execution_id=story.an_id("x", "twice", 2),
        vendor="alpaca",
        method="POST",
        endpoint="/v2/orders",
        purpose=e.CallPurpose.ORDER_SUBMIT,
        symbol="IBM",
    )
    return [
        story.decision("twice", "IBM", records=("r3",), at=at),
        story.submitting("twice", "IBM", at=at + timedelta(minutes=1)),
        story.updated(
            *("twice", e.OrderStatus.REJECTED, e.DecisionStatus.EXECUTING),
            symbol="IBM",
            at=at + timedelta(minutes=1, seconds=1, milliseconds=500),
            failure_reason=e.FailureReason.INSUFFICIENT_BUYING_POWER,
            error_message="insufficient buying power",
        ),
        replace(
            story.submitting("twice", "IBM", attempt=2, at=at + timedelta(minutes=3)),
            previous_execution_id=story.an_id("x", "twice", 1),
        ),
        replace(call, requested_at=at + timedelta(minutes=3)),
        story.updated(
            *("twice", e.OrderStatus.FILLED, e.DecisionStatus.EXECUTED),
            symbol="IBM",
            attempt=2,
            at=at + timedelta(minutes=4),
            total="10",
            fill="10",
            price="100",
            commission=Decimal("1.50"),
        ),
    ]


def _lost() -> list[Event]:
    """Return an order whose answer was cut off, and that was looked up in vain later."""
    unknown = story.updated(
        *("lost", e.OrderStatus.UNKNOWN, e.DecisionStatus.EXECUTING),
        symbol="MSFT",
        at=LOST_AT + timedelta(seconds=5),
        broker_order_id=None,
        failure_reason=e.FailureReason.BROKER_UNAVAILABLE,
        error_message="the connection broke before the answer",
    )
    again = replace(
        unknown,
        event_id=story.an_id("updated", "lost", "again"),
        occurred_at=LOST_AT + timedelta(minutes=10),
        source=e.UpdateSource.LOOKUP,
        broker_status="not_found",
        error_message="the broker has no order of this id yet",
        raw_response='{"code": 40410000}',
    )
    lookups = [
        replace(
            story.api_call(f"lost-{number}"),
            requested_at=at,
            run_id=None,
            decision_id=story.an_id("d", "lost"),
            execution_id=story.an_id("x", "lost", 1),
            vendor="alpaca",
            endpoint="/v2/orders:by_client_order_id",
            purpose=e.CallPurpose.ORDER_LOOKUP,
            status_code=404,
            symbol="MSFT",
        )
        for number, at in enumerate(LOOKED_AT)
    ]
    return [
        story.decision("lost", "MSFT", at=LOST_AT),
        story.submitting("lost", "MSFT", at=LOST_AT),
        replace(unknown, source=e.UpdateSource.POST),
        lookups[0],
        replace(again, api_call_id=lookups[0].call_id),
        lookups[1],
        story.decision("behind", "MSFT", at=LOST_AT + DAY),
    ]


def _sent() -> list[Event]:
    """Return an order that was about to be sent; nothing more is recorded of it."""
    return [
        story.decision("sent", "GE", at=SENT_AT),
        story.submitting("sent", "GE", at=SENT_AT, quantity="7"),
    ]


def _open() -> list[Event]:
    """Return a person's limit order that waits at the broker with a part filled."""
    ordered = replace(
        story.decision("open", "F", at=OPEN_AT), strategy_name="manual", made_by="ann", why="cheap"
    )
    limited = replace(
        story.submitting("open", "F", at=OPEN_AT),
        order_type=e.OrderType.LIMIT,
        limit_price=Decimal("8.25"),
        time_in_force=e.TimeInForce.GTC,
    )
    return [
        ordered,
        limited,
        story.updated(
            *("open", e.OrderStatus.PARTIALLY_FILLED, e.DecisionStatus.EXECUTING),
            symbol="F",
            at=OPEN_AT,
            total="4",
            fill="4",
            price="8.20",
        ),
    ]
