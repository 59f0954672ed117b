"""Orders, snapshots and fills as events: exact requests, derived ids, sums that hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.broker.fills import (
    fill_by_totals,
    fills_between,
    says_something_new,
    status_by,
)
from services.executor.broker.outcomes import BrokerOrder, Fill, instant
from services.executor.following.stream import Hint, parse_hint
from services.executor.recording.orders import (
    Progress,
    client_order_id,
    execution_id,
    order_request,
)
from services.executor.state.book import Decision, Execution, begun
from tests.integration.executor.harness import decision_made
from tests.unit.executor_events import EVENTS, NOW, at, intent_of
from tests.unit.test_executor_controls import _decision
from tradetrail.events.generated import OrderStatus, UpdateSource

S = OrderStatus


def _execution() -> Execution:
    decision = _decision(quantity="100")
    return begun(intent_of(decision), "ACME", at(1))


def _order(status: str, filled: str, average: str | None = None) -> BrokerOrder:
    return BrokerOrder(
        order_id="b",
        client_order_id="c",
        status=status,
        filled_qty=Decimal(filled),
        filled_avg_price=Decimal(average) if average else None,
        updated_at=NOW,
        submitted_at=NOW,
        replaced_by=None,
        raw="{}",
    )


def _fill(total: str, qty: str, price: str = "10") -> Fill:
    return Fill("b", Decimal(total), Decimal(qty), Decimal(price), NOW)


def test_the_request_keeps_every_digit_and_its_id_is_derived() -> None:
    decision = _decision(quantity="0.123456789", limit_price="101.50")
    body = json.loads(order_request(decision, 1, queues=False))
    assert body == {
        "symbol": "ACME",
        "qty": "0.123456789",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "client_order_id": client_order_id(decision.decision_id, 1),
        "limit_price": "101.5",
    }
    assert client_order_id("d", 1) == client_order_id("d", 1) != client_order_id("d", 2)
    assert execution_id("d", 1) != client_order_id("d", 1)


def test_the_same_step_makes_the_same_event_id() -> None:
    execution = _execution()
    for progress in (
        Progress(S.FILLED, UpdateSource.POLL, order=_order("filled", "100", "10")),
        Progress(S.UNKNOWN, UpdateSource.POST, message="timeout"),
    ):
        again = Progress(
            progress.status, UpdateSource.STREAM, progress.order, None, progress.message
        )
        first = EVENTS.updates(execution, progress, [], NOW, None)
        second = EVENTS.updates(execution, again, [], datetime.now(UTC), "call")
        assert [e.event_id for e in first] == [e.event_id for e in second]


def test_several_fills_become_several_updates_and_only_the_last_ends_it() -> None:
    progress = Progress(S.FILLED, UpdateSource.POLL, order=_order("filled", "100", "10.7"))
    updates = EVENTS.updates(
        _execution(), progress, [_fill("30", "30"), _fill("100", "70", "11")], NOW, None
    )
    assert [u.status for u in updates] == [S.PARTIALLY_FILLED, S.FILLED]
    assert [u.filled_qty_total for u in updates] == [Decimal(30), Decimal(100)]
    assert len({u.event_id for u in updates}) == 2


def test_a_missing_fill_is_noticed() -> None:
    order = _order("filled", "100", "10")
    assert fills_between(_execution(), order, [_fill("100", "70")]) is None
    assert fills_between(_execution(), order, [_fill("100", "70"), _fill("30", "30")]) == [
        _fill("30", "30"),
        _fill("100", "70"),
    ]


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 10_000)), min_size=1, max_size=8))
def test_fills_by_totals_add_up_to_quantity_and_value(parts: list[tuple[int, int]]) -> None:
    execution = _execution()
    quantity, value = Decimal(0), Decimal(0)
    for qty, price in parts:
        quantity += qty
        value += qty * price
        order = _order("partially_filled", str(quantity), str(value / quantity))
        (fill,) = fill_by_totals(execution, order)
        assert fill.qty == qty
        assert fill.price is not None
        assert abs(fill.price - price) < Decimal("1e-9")
        execution.filled_qty_total = quantity
        execution.filled_avg_price = value / quantity
    assert fill_by_totals(execution, order) == []


def test_a_snapshot_that_lags_changes_nothing() -> None:
    execution = _execution()
    execution.status, execution.broker_status = S.PARTIALLY_FILLED, "partially_filled"
    execution.filled_qty_total = Decimal(5)
    assert not says_something_new(execution, _order("new", "0"))
    assert status_by(execution, _order("accepted", "5", "10")) is S.PARTIALLY_FILLED
    assert not says_something_new(execution, _order("partially_filled", "5", "10"))
    assert says_something_new(execution, _order("filled", "100", "10"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-08-25T13:30:00.123456789Z", datetime(2020, 8, 25, 13, 30, 0, 123456, tzinfo=UTC)),
        ("2020-08-25T09:30:00-04:00", datetime(2020, 8, 25, 13, 30, tzinfo=UTC)),
        ("2020-08-25T13:30:00.1Z", datetime(2020, 8, 25, 13, 30, 0, 100000, tzinfo=UTC)),
        ("nonsense", None),
        (None, None),
    ],
)
def test_the_brokers_time_stamps(text: str | None, expected: datetime | None) -> None:
    assert instant(text) == expected


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (b'{"stream":"listening","data":{"streams":[]}}', None),
        (b'{"stream":"trade_updates","data":{"event":"new","order":{"id":"b"}}}', Hint("b")),
        ('{"stream":"trade_updates","data":{}}', Hint(None)),
        ("no json", Hint(None)),
        ("[]", Hint(None)),
        (
            '{"stream":"trade_updates","data":{"event":"fill","price":"x","qty":"1","order":{"id":"b","filled_qty":"1"}}}',
            Hint("b"),
        ),
    ],
)
def test_stream_messages_are_hints_and_never_break(message: Any, hint: Hint | None) -> None:
    assert parse_hint(message) == hint


def test_a_fill_on_the_stream_carries_its_identity() -> None:
    hint = parse_hint(
        b'{"stream":"trade_updates","data":{"event":"partial_fill","price":"10","qty":"3",'
        b'"timestamp":"2020-08-25T13:30:00Z","order":{"id":"b","filled_qty":"5"}}}'
    )
    assert hint is not None
    assert hint.fill is not None
    assert (hint.fill.cumulative_qty, hint.fill.qty) == (Decimal(5), Decimal(3))


def test_a_decision_is_read_whole() -> None:
    decision = _decision()
    assert isinstance(decision, Decision)
    assert decision.decision_id == decision_made("d").decision_id
