"""What the broker has and the log lacks becomes a recorded fact, once; nothing is ever sent, cancelled or changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from services.executor.recording.orders import Progress
from tests.contract.alpaca_client import Alpaca, stop
from tests.eventually import eventually
from tests.integration.executor.follow_rig import Rig, follow_rig
from tests.integration.executor.harness import AFTER_CLOSE, IN_SESSION, Desk, decision_made
from tradetrail.events.generated import (
    ApiCallRecorded,
    BrokerOrderDiscovered,
    CallPurpose,
    FailureReason,
    OrderStatus,
    Side,
    TimeInForce,
    UpdateSource,
)

# Neither a poll nor a comparison that nobody asked for.
QUIET: dict[str, Any] = {"stream": False, "poll_every_s": 3600, "reconcile_every_s": 3600}
AFTER_THE_SPLIT = "2020-08-31T13:31:00+00:00"


@pytest.fixture
def alpaca(brokers: Callable[..., Alpaca]) -> Iterator[Alpaca]:
    """Return a broker in the session of the small world's second day."""
    alpaca = brokers(now=IN_SESSION)
    yield alpaca
    stop(alpaca)


def compare(rig: Rig, act_id: str = "act") -> Any:
    """Return what a comparison came to that a person asked for."""
    rig.reconciler.ask(act_id)
    found: list[Any] = []

    def is_answered() -> bool:
        found.append(rig.reconciler.result(act_id))
        return found[-1] is not None

    rig.until(is_answered)
    rig.until(lambda: not rig.desk.lanes.is_busy("reconcile"))
    return found[-1]


def test_an_order_placed_by_hand_is_discovered_once_with_each_state_that_matters(
    alpaca: Alpaca,
) -> None:
    by_hand = alpaca.placed("SPLT", type="limit", limit_price="300", qty="2")
    with follow_rig(alpaca, **QUIET) as rig:
        rig.until(lambda: rig.of(BrokerOrderDiscovered))
        (found,) = rig.of(BrokerOrderDiscovered)
        assert (found.broker_order_id, found.symbol) == (by_hand["id"], "SPLT")
        assert (found.side, found.quantity, found.filled_qty_total) == (
            Side.BUY,
            Decimal(2),
            Decimal(0),
        )
        assert (found.strategy_name, found.decision_id, found.execution_id) == (
            "manual",
            None,
            None,
        )
        assert json.loads(found.raw_response)["id"] == by_hand["id"]
        (discovered,) = [o for o in rig.log.outputs if o.event is found]
        assert discovered.topic == rig.desk.topics.for_symbol("SPLT")
        assert compare(rig, "again").discovered == 0

        alpaca.control(now=AFTER_CLOSE)
        assert compare(rig, "later").discovered == 1
        assert [e.broker_status for e in rig.of(BrokerOrderDiscovered)][1:] == ["expired"]
        ids = [e.event_id for e in rig.of(BrokerOrderDiscovered)]
        assert len(ids) == len(set(ids)) == 2
    calls = [c for c in rig.of(ApiCallRecorded) if c.purpose is CallPurpose.RECONCILE]
    assert len(calls) == 2

    with follow_rig(alpaca, rig.log, **QUIET) as restarted:
        counts = compare(restarted)
        assert (counts.compared, counts.discovered, counts.differing) == (1, 0, 0)
    assert len(rig.of(BrokerOrderDiscovered)) == 2


def test_what_was_filled_by_hand_is_discovered_with_its_fill(alpaca: Alpaca) -> None:
    alpaca.placed("ACME", qty="3")
    with follow_rig(alpaca, **QUIET) as rig:
        rig.until(lambda: rig.of(BrokerOrderDiscovered))
    (found,) = rig.of(BrokerOrderDiscovered)
    assert (found.filled_qty_total, found.filled_avg_price) == (Decimal(3), Decimal(101))


def test_the_stream_tells_of_an_order_placed_by_hand(
    alpaca: Alpaca, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.executor.following.hints.STRANGER_AFTER_S", 0.2)
    monkeypatch.setattr("services.executor.reconciling.reconciler.STRANGERS_EVERY_S", 0.2)
    with follow_rig(alpaca, **QUIET | {"stream": True}) as rig:
        rig.until(lambda: rig.follower.stream == "connected" and rig.reconciler.last)
        by_hand = alpaca.placed("ACME", qty="3")
        rig.until(lambda: rig.of(BrokerOrderDiscovered))
        assert rig.of(BrokerOrderDiscovered)[0].broker_order_id == by_hand["id"]


def test_orders_of_ours_are_no_discovery(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **QUIET) as rig:
        rig.until(lambda: rig.reconciler.last)
        filled = rig.order("filled")
        rig.order("open", "SPLT", limit_price="300", quantity="1")
        counts = compare(rig)
        assert (counts.compared, counts.discovered) == (2, 0)
        # The fill, which neither a poll nor the stream told: the comparison had it looked at.
        assert counts.differing >= 1
        rig.until(lambda: filled.status is OrderStatus.FILLED)
        assert rig.updates_of(filled)[-1].source is UpdateSource.SNAPSHOT
        assert compare(rig, "again").differing == 0
        assert not rig.of(BrokerOrderDiscovered)


def test_an_order_that_was_not_sent_and_turns_up_is_recorded_as_ours(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **QUIET) as rig:
        rig.until(lambda: rig.reconciler.last)
        alpaca.fault("drop", when="before", method="POST", path="/v2/orders")
        execution = rig.order("lost")
        assert execution.status is OrderStatus.UNKNOWN
        never = Progress(
            OrderStatus.ERROR,
            UpdateSource.EXECUTOR,
            failure=FailureReason.NOT_SENT,
            message="never sent",
        )
        rig.desk.enter(execution, never, [], [])
        rig.desk.commit()
        late = alpaca.placed("ACME", qty="10", client_order_id=execution.client_order_id)
        compare(rig)
        rig.until(lambda: rig.of(BrokerOrderDiscovered))
        (found,) = rig.of(BrokerOrderDiscovered)
        assert (found.broker_order_id, found.execution_id) == (late["id"], execution.execution_id)
        assert found.decision_id == found.story_id == execution.decision_id
        assert "the log says error" in (found.explanation or "")
        compare(rig, "again")
        rig.turns(0.2)
        assert len(rig.of(BrokerOrderDiscovered)) == 1


def test_what_the_broker_puts_in_the_place_of_our_order_is_ours(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **QUIET) as rig:
        rig.until(lambda: rig.reconciler.last)
        old = rig.order(
            "split",
            "SPLT",
            limit_price="300",
            quantity="1",
            time_in_force=TimeInForce.GTC,
        )
        alpaca.control(now=AFTER_THE_SPLIT)
        rig.until(lambda: old.status is OrderStatus.REPLACED)
        compare(rig)
        rig.until(lambda: rig.of(BrokerOrderDiscovered))
        (found,) = rig.of(BrokerOrderDiscovered)
        assert json.loads(found.raw_response)["replaces"] == old.broker_order_id
        assert found.execution_id == old.execution_id
        assert found.quantity == Decimal(4)


def test_a_comparison_that_fails_is_made_again_and_answers_then(
    alpaca: Alpaca, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.executor.reconciling.reconciler.RETRY_S", 0.1)
    alpaca.fault("status", method="GET", path="/v2/orders", status=500, count=2)
    alpaca.placed("ACME", qty="1")
    with follow_rig(alpaca, **QUIET) as rig:
        assert compare(rig).compared == 1
        assert rig.requests()["GET /v2/orders"] >= 3


def test_comparing_only_ever_asks(alpaca: Alpaca) -> None:
    alpaca.placed("ACME", qty="1")
    before = alpaca.book()["requests"]
    with follow_rig(alpaca, **QUIET) as rig:
        compare(rig)
        asked = [name for name, n in rig.requests().items() if n > before.get(name, 0)]
    assert all(name.startswith("GET ") for name in asked)


@pytest.mark.stack
def test_an_executor_that_starts_again_discovers_nothing_twice(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.alpaca.placed("ACME", qty="3")
    first = desk.active_executor()
    eventually(lambda: desk.of(BrokerOrderDiscovered), lambda found: len(found) == 1)
    eventually(first.health, lambda health: health["stream"] == "connected")
    assert first.health()["troubled"] == {}
    first.kill()

    asked = desk.alpaca.book()["requests"]["GET /v2/orders"]
    desk.active_executor()
    eventually(lambda: desk.alpaca.book()["requests"]["GET /v2/orders"] > asked)
    decision = decision_made("after", "SPLT", quantity="1", price="402", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)
    assert desk.statuses(decision)[-1] == "filled"
    assert len(desk.of(BrokerOrderDiscovered)) == 1
