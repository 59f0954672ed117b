"""Orders of different symbols side by side: what overlaps, what stays in order, and what holds nobody else."""

from __future__ import annotations

import pytest
import requests

from tests.eventually import eventually
from tests.integration.executor.harness import (
    IN_SESSION,
    TIMEOUT_S,
    Desk,
    Gate,
    decision_made,
)
from tradetrail.events.generated import (
    ApiCallRecorded,
    DecisionMade,
    FailureReason,
    OrderSubmitting,
    OrderUpdated,
)

pytestmark = pytest.mark.stack

POSTS = {"method": "POST", "path": "/v2/orders"}
# Longer than a loaded machine needs from one POST to the next, shorter than any of them is waited for.
LATENCY_MS = 6_000


def three(prefix: str, at: str = IN_SESSION) -> list[DecisionMade]:
    """Return decisions on three symbols, the strongest last."""
    return [
        decision_made(f"{prefix}-1", "ACME", strength="1", at=at),
        decision_made(f"{prefix}-2", "PNNY", strength="5", price="0.5", at=at),
        decision_made(f"{prefix}-3", "SPLT", strength="9", price="402", quantity="2", at=at),
    ]


def arrivals(desk: Desk) -> list[dict[str, int]]:
    """Return when each POST of an order was at the broker, in that order, with its symbol."""
    url = f"{desk.alpaca.url}/control?parts=arrivals"
    found: list[dict[str, int]] = requests.get(url, timeout=TIMEOUT_S).json()["arrivals"]
    return sorted(found, key=lambda each: each["monotonic_ns"])


def test_orders_of_different_symbols_are_under_way_at_once(desk: Desk) -> None:
    process = desk.active_executor()
    decisions = three("overlap", at="2020-08-25T11:00:00+00:00")
    desk.decide(*decisions)
    eventually(process.health, lambda health: health["waiting"] == 3)
    desk.alpaca.control(fault={**POSTS, "kind": "latency", "latency_ms": LATENCY_MS, "count": 3})
    desk.alpaca.control(now=IN_SESSION)
    desk.eventually_over(*decisions)

    times = [each["monotonic_ns"] for each in arrivals(desk)]
    assert len(times) == 3
    # None had an answer before the last one came.
    assert times[-1] - times[0] < LATENCY_MS * 1_000_000
    assert len({each["connection"] for each in arrivals(desk)}) == 3
    # One look at the account served all three, and their intents are one after the other in the log's time.
    strongest_first = [desk.of(OrderSubmitting, each)[0] for each in reversed(decisions)]
    instants = [intent.occurred_at for intent in strongest_first]
    assert instants == sorted(instants)
    # Each names the calls that it shared with the others.
    named = {intent.api_call_ids for intent in strongest_first}
    (call_ids,) = named
    asked = {call.call_id: call.endpoint for call in desk.of(ApiCallRecorded)}
    assert [asked[each] for each in call_ids] == [
        "/v2/account",
        "/v2/positions",
        "/v2/stocks/trades/latest",
    ]


def test_one_lane_sends_the_strongest_first(desk: Desk) -> None:
    process = desk.active_executor(parallel_requests=1)
    decisions = three("one", at="2020-08-25T11:00:00+00:00")
    desk.decide(*decisions)
    eventually(process.health, lambda health: health["waiting"] == 3)
    desk.alpaca.control(now=IN_SESSION)
    desk.eventually_over(*decisions)
    by_id = {desk.of(OrderSubmitting, d)[0].client_order_id: d.symbol for d in decisions}
    came = [by_id[str(each["client_order_id"])] for each in arrivals(desk)]
    assert came == ["SPLT", "PNNY", "ACME"]


def test_an_unknown_order_holds_its_own_symbol_only(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(lookup_every_s=0.1, not_found_for_s=60)
    desk.alpaca.control(fault={**POSTS, "kind": "drop", "when": "before", "symbol": "ACME"})
    unknown = decision_made("unknown", "ACME", strength="9", at=IN_SESSION)
    behind = decision_made("behind", "ACME", strength="9", quantity="3", at=IN_SESSION)
    desk.decide(unknown, behind)
    eventually(lambda: desk.statuses(unknown), lambda story: "unknown" in story)
    others = three("others")[1:]
    desk.decide(*others)
    desk.eventually_over(*others)
    assert desk.statuses(unknown)[-1] == "unknown"
    assert desk.statuses(behind) == []


def test_many_unknown_orders_are_looked_up_at_once(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(lookup_every_s=0.1)
    fault = {**POSTS, "kind": "status", "status": 504, "when": "after", "body": "html", "count": 3}
    desk.alpaca.control(fault=fault)
    decisions = three("gone")
    desk.decide(*decisions)
    desk.eventually_over(*decisions)
    for each in decisions:
        assert desk.statuses(each)[:2] == ["submitting", "unknown"]
        assert desk.statuses(each)[-1] == "filled"
    assert set(desk.alpaca.book()["order_posts"].values()) == {1}


def test_a_broker_that_comes_back_gets_everything_once_and_in_order(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    gate = Gate(desk.alpaca.url)
    process = desk.executor({"TRADETRAIL_ALPACA_URL": gate.url})
    process.wait_active()
    decisions = three("away")
    later = decision_made("away-4", "ACME", strength="9", quantity="7", at=IN_SESSION)
    desk.decide(*decisions, later)
    eventually(process.health, lambda health: health["broker"].startswith("broker: "))
    eventually(
        lambda: metrics(process.port), lambda told: "tradetrail_executor_broker_away 1.0" in told
    )
    assert desk.orders() == []
    gate.open()
    try:
        desk.eventually_over(*decisions, later)
    finally:
        gate.close()
    acme = [order["qty"] for order in desk.orders() if order["symbol"] == "ACME"]
    assert acme == ["10", "7"]
    assert set(desk.alpaca.book()["order_posts"].values()) == {1}


def test_a_refusal_for_the_rate_limit_is_an_outcome(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor()
    fault = {**POSTS, "kind": "status", "status": 429, "message": "too many requests"}
    desk.alpaca.control(fault={**fault, "headers": {"x-ratelimit-reset": "0"}})
    decision = decision_made("burst", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)
    (update,) = desk.of(OrderUpdated, decision)
    assert update.failure_reason is FailureReason.RATE_LIMIT_EXCEEDED
    assert desk.orders() == []


def test_orders_wait_for_the_reset_when_the_rate_limit_is_used_up(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    process = desk.active_executor(stream="false", poll_every_s=60)
    desk.alpaca.control(rate_limit=1)
    decisions = three("limited")
    desk.decide(*decisions)
    eventually(process.health, lambda health: health["broker"].startswith("rate limit used up"))
    assert all(desk.statuses(each) == [] for each in decisions)
    assert process.health()["runnable"] == 3
    # Told once for each window, however many answers say it.
    told = [line for line in process.logs.read_text().splitlines() if "wait for its reset" in line]
    assert len(told) == len({line.split("reset at ")[1][:8] for line in told}) > 0


def metrics(port: int) -> str:
    """Return what /metrics says."""
    return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT_S).text
