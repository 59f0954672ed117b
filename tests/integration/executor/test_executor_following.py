"""Open orders are followed by stream and by poll: either alone suffices, cheaply, whatever the stream does."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from services.executor.following.stream import TradeUpdates
from services.executor.following.troubles import FORGOTTEN
from services.executor.state.book import Execution
from tests.contract.alpaca_client import Alpaca, stop
from tests.contract.alpaca_server import KEYS
from tests.eventually import eventually
from tests.integration.executor.follow_rig import Rig, follow_rig
from tests.integration.executor.harness import AFTER_CLOSE, IN_SESSION
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.calls import joined_body
from tradetrail.events.generated import ApiCallRecorded, FailureReason, OrderStatus, UpdateSource

# A limit that the small world's prices never reach: the order stays open.
UNREACHED: dict[str, Any] = {"limit_price": "1", "quantity": "1"}
# Polls that a test never lives to see.
NEVER_S = 3600
AN_HOUR_OF_STREAM: dict[str, Any] = {"poll_every_s": NEVER_S}
POLLS_ONLY: dict[str, Any] = {"stream": False, "poll_every_s": 0.2}


@pytest.fixture
def alpaca(brokers: Callable[..., Alpaca]) -> Iterator[Alpaca]:
    """Return a broker in the session of the small world's second day."""
    alpaca = brokers(now=IN_SESSION)
    yield alpaca
    stop(alpaca)


def is_over(execution: Execution, status: OrderStatus) -> Callable[[], bool]:
    """Return what tells whether an execution has ended so."""
    return lambda: execution.status is status


def listening(rig: Rig) -> Callable[[], bool]:
    """Return what tells whether the stream listens, what follows from that is done, and the first look is over."""
    return lambda: (
        rig.has_heard_of_connecting
        and rig.follower.stream == "connected"
        and bool(rig.reconciler.last)
    )


def count(rig: Rig, name: str) -> int:
    """Return how often one path was asked for."""
    return rig.requests().get(name, 0)


def test_polls_alone_end_orders_and_tell_each_fill(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **POLLS_ONLY) as rig:
        assert rig.follower.stream == "off"
        alpaca.fault("partial_fill", fractions=["0.3", "0.2"], symbol="ACME")
        filled, expired = rig.order("filled"), rig.order("expired", **UNREACHED)
        rig.until(is_over(filled, OrderStatus.FILLED))
        alpaca.control(now=AFTER_CLOSE)
        rig.until(is_over(expired, OrderStatus.EXPIRED))
        fills = [(u.fill_qty, u.filled_qty_total) for u in rig.updates_of(filled) if u.fill_qty]
        assert fills == [
            (Decimal(3), Decimal(3)),
            (Decimal(2), Decimal(5)),
            (Decimal(5), Decimal(10)),
        ]
        assert rig.updates_of(expired)[-1].failure_reason is FailureReason.EXPIRED


def test_the_stream_alone_ends_orders_at_once(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **AN_HOUR_OF_STREAM) as rig:
        rig.until(listening(rig))
        execution = rig.order("streamed")
        rig.until(is_over(execution, OrderStatus.FILLED))
        last = rig.updates_of(execution)[-1]
        assert last.source is UpdateSource.STREAM
        assert (last.fill_qty, last.fill_price) == (Decimal(10), Decimal(101))


@pytest.mark.parametrize(
    "fault",
    [{"kind": "stream_drop"}, {"kind": "stream_drop", "abort": True}],
    ids=["closed", "cut"],
)
def test_what_happened_while_the_stream_was_away_is_found_at_its_return(
    alpaca: Alpaca, fault: dict[str, Any]
) -> None:
    with follow_rig(alpaca, **AN_HOUR_OF_STREAM) as rig:
        rig.until(listening(rig))
        execution = rig.order("unheard", "SPLT", limit_price="300", quantity="1")
        # What the stream tells of its acceptance is looked at: no look is under way when it is cancelled.
        rig.until(is_over(execution, OrderStatus.ACCEPTED))
        # It stays away until the order is cancelled: nobody hears of that.
        alpaca.fault("stream_refuse", until_cleared=True)
        alpaca.control(fault=fault)
        rig.until(lambda: rig.follower.stream == "away")
        alpaca.call("DELETE", f"/orders/{execution.broker_order_id}")
        alpaca.control(clear_faults=True)
        rig.until(is_over(execution, OrderStatus.CANCELLED))
        assert rig.updates_of(execution)[-1].source is UpdateSource.SNAPSHOT
        assert rig.follower.stream == "connected"


def test_a_stream_that_is_never_let_in_is_away_and_polls_do(alpaca: Alpaca) -> None:
    alpaca.fault("stream_refuse", until_cleared=True)
    with follow_rig(alpaca, poll_every_s=0.2) as rig:
        execution = rig.order("polled")
        rig.until(is_over(execution, OrderStatus.FILLED))
        assert rig.follower.stream == "away"


def test_a_connection_whose_other_end_froze_is_given_up(alpaca: Alpaca) -> None:
    settings = AlpacaSettings.model_validate(
        {
            "stream_url": alpaca.stream_url,
            "key_id": SecretStr(KEYS.key_id),
            "secret_key": SecretStr(KEYS.secret_key),
        }
    )
    updates = TradeUpdates(settings, ping_every_s=0.2)
    updates.start()
    try:
        eventually(lambda: updates.is_connected)
        os.kill(alpaca.pid, signal.SIGSTOP)
        eventually(lambda: not updates.is_connected)
        os.kill(alpaca.pid, signal.SIGCONT)
        eventually(lambda: updates.is_connected)
        # One for each connection, of which a busy machine may have lost some more.
        hints = [hint.order_id for hint in updates.take()]
        assert len(hints) >= 2
        assert set(hints) == {None}
    finally:
        os.kill(alpaca.pid, signal.SIGCONT)
        updates.close()


def test_a_repeated_message_changes_nothing(alpaca: Alpaca) -> None:
    alpaca.fault("stream_repeat", until_cleared=True)
    with follow_rig(alpaca, **AN_HOUR_OF_STREAM) as rig:
        rig.until(listening(rig))
        alpaca.fault("partial_fill", fractions=["0.3", "0.2"])
        execution = rig.order("repeated")
        rig.until(is_over(execution, OrderStatus.FILLED))
        rig.turns(0.2)
        fills = [u.fill_qty for u in rig.updates_of(execution) if u.fill_qty]
        assert fills == [Decimal(3), Decimal(2), Decimal(5)]


def test_a_mute_stream_is_noticed_and_made_anew(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, poll_every_s=0.3, stream_mute_after_s=0.3) as rig:
        rig.until(listening(rig))
        alpaca.fault("stream_mute")
        execution = rig.order("muted")
        rig.until(is_over(execution, OrderStatus.FILLED))
        connected = alpaca.book()["stream"]["connected_count"]
        rig.until(lambda: rig.follower.stream == "mute")
        rig.until(lambda: alpaca.book()["stream"]["connected_count"] > connected)
        # It listens again, but has told nothing yet.
        rig.until(lambda: rig.follower.stream == "mute")
        alpaca.control(clear_faults=True)
        spoken = rig.order("spoken", "SPLT", quantity="1", price="400")
        rig.until(is_over(spoken, OrderStatus.FILLED))
        rig.until(lambda: rig.follower.stream == "connected")


def test_a_healthy_stream_is_not_called_mute(alpaca: Alpaca) -> None:
    # Longer than a busy machine needs to hand on what the stream said.
    with follow_rig(alpaca, poll_every_s=0.2, stream_mute_after_s=3) as rig:
        rig.until(listening(rig))
        for number in range(3):
            execution = rig.order(f"heard-{number}", quantity=str(number + 1))
            rig.until(is_over(execution, OrderStatus.FILLED))
        rig.turns(3.5)
        assert rig.follower.stream == "connected"
        assert alpaca.book()["stream"]["connected_count"] == 1


def test_300_open_orders_cost_few_requests_a_poll(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, stream=False, poll_every_s=NEVER_S, reconcile_every_s=NEVER_S) as rig:
        rig.until(lambda: rig.reconciler.last)
        executions = [rig.order(f"open-{n}", **UNREACHED) for n in range(300)]
        before = rig.requests()
        rig.follower.look_at_all()
        rig.until(lambda: len(rig.follower.looked_at) == 300)
        asked = {k: n - before.get(k, 0) for k, n in rig.requests().items() if "control" not in k}
        assert {name: n for name, n in asked.items() if n} == {"GET /v2/orders": 1}

        # All of them end at once: a list of the open ones, one of all, one page of no fills.
        alpaca.control(now=AFTER_CLOSE)
        rig.until(lambda: not rig.desk.book.open)
        assert all(each.status is OrderStatus.EXPIRED for each in executions)
        assert count(rig, "GET /v2/orders") - before["GET /v2/orders"] <= 4
        assert count(rig, "GET /v2/orders/{id}") == before.get("GET /v2/orders/{id}", 0)


def test_a_list_goes_on_page_by_page(alpaca: Alpaca, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.executor.broker.order_list.ORDER_PAGE", 5)
    with follow_rig(alpaca, stream=False, poll_every_s=NEVER_S) as rig:
        executions = [rig.order(f"paged-{n}", **UNREACHED) for n in range(12)]
        rig.follower.look_at_all()
        rig.until(lambda: len(rig.follower.looked_at) == len(executions))
        assert count(rig, "GET /v2/orders/{id}") == 0


def test_a_list_that_told_something_is_recorded_once(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, stream=False, poll_every_s=NEVER_S) as rig:
        executions = [rig.order(f"told-{n}", quantity=str(n + 1)) for n in range(10)]
        rig.until(lambda: not rig.desk.book.open)
        ends = [rig.updates_of(each)[-1] for each in executions]
        (call_id,) = {each.api_call_id for each in ends}
        calls = [c for c in rig.of(ApiCallRecorded) if c.call_id == call_id]
        body = joined_body(calls)
        assert body is not None
        for end in ends:
            # The order's object is the broker's own text.
            assert (end.raw_response or "").encode() in body
            assert json.loads(end.raw_response or "")["id"] == end.broker_order_id
        assert len(calls) == 1
        assert calls[0].decision_id is None


def test_polls_that_say_nothing_new_leave_nothing_in_the_log(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **POLLS_ONLY) as rig:
        for number in range(5):
            rig.order(f"quiet-{number}", **UNREACHED)
        rig.until(lambda: len(rig.follower.looked_at) == 5)
        asked = count(rig, "GET /v2/orders")
        rig.until(lambda: count(rig, "GET /v2/orders") >= asked + 3)
        landed = len(rig.log.landed)
        rig.until(lambda: count(rig, "GET /v2/orders") >= asked + 6)
        assert len(rig.log.landed) == landed


@pytest.mark.parametrize("kind", ["cancelled", "expired"])
def test_an_order_that_ends_with_a_filled_part(alpaca: Alpaca, kind: str) -> None:
    with follow_rig(alpaca, **POLLS_ONLY) as rig:
        rest = "cancel" if kind == "cancelled" else "hold"
        alpaca.fault("partial_fill", fractions=["0.4"], rest=rest)
        execution = rig.order("part")
        if kind == "expired":
            rig.until(is_over(execution, OrderStatus.PARTIALLY_FILLED))
            alpaca.control(now=AFTER_CLOSE)
        rig.until(is_over(execution, OrderStatus(kind)))
        fills = [u for u in rig.updates_of(execution) if u.fill_qty]
        assert [(u.fill_qty, u.fill_price) for u in fills] == [(Decimal(4), Decimal(101))]
        assert rig.updates_of(execution)[-1].filled_qty_total == Decimal(4)


def test_fills_that_no_activity_tells_are_told_by_the_totals(alpaca: Alpaca) -> None:
    alpaca.fault("status", path="/v2/account/activities/*", status=500, until_cleared=True)
    with follow_rig(alpaca, **POLLS_ONLY) as rig:
        alpaca.fault("partial_fill", fractions=["0.3", "0.2"])
        execution = rig.order("totals")
        rig.until(is_over(execution, OrderStatus.FILLED))
        fills = [u.fill_qty for u in rig.updates_of(execution) if u.fill_qty]
        assert sum(qty for qty in fills if qty) == 10


def test_a_poll_that_fails_is_tried_again(alpaca: Alpaca) -> None:
    alpaca.fault("status", path="/v2/orders*", method="GET", status=502, body="html", count=3)
    with follow_rig(alpaca, **POLLS_ONLY) as rig:
        execution = rig.order("tried")
        rig.until(is_over(execution, OrderStatus.FILLED))


def test_a_list_cut_in_half_ends_nothing(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **POLLS_ONLY) as rig:
        executions = [rig.order(f"cut-{n}", **UNREACHED) for n in range(6)]
        rig.until(lambda: len(rig.follower.looked_at) == 6)
        alpaca.fault("truncate", path="/v2/orders", method="GET", count=2)
        rig.until(lambda: all(fault["is_spent"] for fault in alpaca.book()["faults"]))
        asked = count(rig, "GET /v2/orders")
        rig.until(lambda: count(rig, "GET /v2/orders") > asked + 1)
        assert all(each.status not in ("expired", "error") for each in executions)
        assert not rig.follower.troubles


def test_an_order_the_broker_forgot_is_told_and_stays_open(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **POLLS_ONLY) as rig:
        execution = rig.order("forgotten", **UNREACHED)
        alpaca.fault(
            "status",
            path="/v2/orders/*",
            method="GET",
            status=404,
            code=40410000,
            message="order not found",
            until_cleared=True,
        )
        rig.until(lambda: rig.follower.troubles == {execution.execution_id: FORGOTTEN})
        assert execution.execution_id in rig.desk.book.open
        alpaca.control(clear_faults=True)
        rig.until(lambda: not rig.follower.troubles)


def test_a_cancellation_that_hangs_is_told(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, **POLLS_ONLY) as rig:
        execution = rig.order("hanging", **UNREACHED)
        alpaca.fault("pending_cancel")
        alpaca.call("DELETE", f"/orders/{execution.broker_order_id}")
        rig.until(lambda: "pending_cancel" in rig.follower.troubles.get(execution.execution_id, ""))
        assert execution.status is OrderStatus.ACCEPTED
        alpaca.control(now=AFTER_CLOSE)
        rig.until(is_over(execution, OrderStatus.CANCELLED))
        rig.turn()
        assert not rig.follower.troubles
