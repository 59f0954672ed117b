"""A person's order: what can be asked, and what a recorded act of any origin says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradetrail.events.generated import DeclineReason, OperatorAct, OrderType, Side, TimeInForce
from tradetrail.log.stamp import Stamp
from tradetrail.manual_orders import (
    NUMBER_MAX,
    BadOrder,
    ManualOrder,
    Submission,
    manual_order,
    read_act,
    submission,
)

ENVELOPE = Stamp("cli", "test").envelope(datetime(2024, 2, 5, 12, tzinfo=UTC))
ASKED = submission(manual_order("AAPL", "buy", "10", "190.25", "gtc"), "ann", "hedge", "k-1")


def order(**changes: Any) -> ManualOrder:
    words: dict[str, Any] = {
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "10",
        "limit_price": None,
        "time_in_force": "day",
    }
    return manual_order(**words | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "buy 10 AAPL at market, day"),
        ({"quantity": "0.000000001"}, "buy 0.000000001 AAPL at market, day"),
        ({"quantity": "10.500", "limit_price": "190.50"}, "buy 10.5 AAPL at 190.5 USD, day"),
        ({"side": "sell", "limit_price": "0.0001"}, "sell 10 AAPL at 0.0001 USD, day"),
        ({"limit_price": "1.01", "time_in_force": "gtc"}, "buy 10 AAPL at 1.01 USD, gtc"),
        ({"quantity": str(NUMBER_MAX)}, "buy 1000000000 AAPL at market, day"),
        ({"quantity": "7.0", "time_in_force": "gtc"}, "buy 7 AAPL at market, gtc"),
    ],
    ids=["market", "least", "limit", "sub-cent", "gtc", "most", "whole-gtc"],
)
def test_an_order_says_what_it_is(changes: dict[str, str], said: str) -> None:
    assert order(**changes).text == said


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"side": "short"}, "a side is buy or sell"),
        ({"side": "unrecognised"}, "a side is buy or sell"),
        ({"time_in_force": "ioc"}, "day or gtc"),
        ({"quantity": "-1"}, "the quantity must be a number"),
        ({"quantity": "ten"}, "the quantity must be a number"),
        ({"quantity": "NaN"}, "the quantity must be a number"),
        ({"quantity": "1e3"}, "the quantity must be a number"),
        ({"quantity": "1_000"}, "the quantity must be a number"),
        ({"quantity": "\u0661"}, "the quantity must be a number"),
        ({"quantity": ""}, "the quantity must be a number"),
        ({"quantity": "1.0000000001"}, "nine decimals"),
        ({"quantity": "1000000000.1"}, "at most 1000000000"),
        ({"quantity": "0.5", "time_in_force": "gtc"}, "day orders only"),
        ({"limit_price": "0"}, "above 0"),
        ({"limit_price": "190.255"}, "steps of 0.01"),
        ({"limit_price": "0.12345"}, "steps of 0.0001"),
        ({"limit_price": "cheap"}, "the limit price must be a number"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(map(ascii, value.values())),
)
def test_what_the_broker_would_not_take_is_refused(changes: dict[str, str], told: str) -> None:
    with pytest.raises(BadOrder, match=told) as caught:
        order(**changes)
    assert caught.value.code is DeclineReason.INVALID_ORDER


@pytest.mark.parametrize("quantity", ["0", "0.000000000"])
def test_nothing_is_no_quantity(quantity: str) -> None:
    with pytest.raises(BadOrder) as caught:
        order(quantity=quantity)
    assert caught.value.code is DeclineReason.ZERO_QUANTITY


@pytest.mark.parametrize(
    ("operator", "why", "key"),
    [
        ("", "w", "k"),
        (" ", "w", "k"),
        ("a\nb", "w", "k"),
        ("a" * 101, "w", "k"),
        ("a", "", "k"),
        ("a", "w\x1f", "k"),
        ("a", "w" * 1_001, "k"),
        ("a", "w", ""),
        ("a", "w", "two words"),
        ("a", "w", "k" * 101),
    ],
    ids=range(10),
)
def test_who_why_and_key_are_said_in_a_bounded_line(operator: str, why: str, key: str) -> None:
    with pytest.raises(BadOrder):
        submission(order(), operator, why, key)


def test_the_act_says_everything_and_reads_back() -> None:
    act = ASKED.act(ENVELOPE)
    assert (act.act, act.symbol, act.scope) == (OperatorAct.MANUAL_ORDER, "AAPL", "AAPL")
    assert (act.operator, act.why, act.idempotency_key) == ("ann", "hedge", "k-1")
    assert act.decision_id == act.story_id == ASKED.decision_id
    assert act.arguments == (
        '{"limit_price":"190.25","quantity":"10","side":"buy","time_in_force":"gtc"}'
    )
    assert read_act(act, "AAPL") == ASKED
    asked = read_act(act, "AAPL").order
    assert (asked.side, asked.order_type) == (Side.BUY, OrderType.LIMIT)
    assert (asked.quantity, asked.limit_price) == (Decimal(10), Decimal("190.25"))
    assert asked.time_in_force is TimeInForce.GTC


def test_ids_follow_the_key_and_the_contents() -> None:
    again = submission(order(quantity="10.0", limit_price="190.250"), "ann", "hedge", "k-1")
    again = replace(again, order=replace(again.order, time_in_force=TimeInForce.GTC))
    assert (again.decision_id, again.act_id) == (ASKED.decision_id, ASKED.act_id)
    for other in (replace(ASKED, operator="bob"), replace(ASKED, why="other")):
        assert other.decision_id == ASKED.decision_id
        assert other.act_id != ASKED.act_id
    elsewhere = replace(ASKED, order=replace(ASKED.order, symbol="MSFT"))
    for other in (replace(ASKED, key="k-2"), elsewhere):
        assert other.decision_id != ASKED.decision_id


GOOD = json.loads(ASKED.order.arguments())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"arguments": "buy 10"}, "no JSON"),
        ({"arguments": "[" * 100_000}, "no JSON"),
        ({"arguments": "[]"}, "must be an object"),
        ({"arguments": "{}"}, "must be an object"),
        ({"arguments": json.dumps(GOOD | {"stop_price": "1"})}, "must be an object"),
        ({"arguments": json.dumps(GOOD | {"quantity": 10})}, "quantity must be text"),
        ({"arguments": json.dumps(GOOD | {"side": None})}, "side must be text"),
        ({"arguments": json.dumps(GOOD | {"side": "hold"})}, "a side is buy or sell"),
        ({"operator": ""}, "who orders"),
        ({"why": ""}, "the reason"),
        ({"idempotency_key": None}, "a key has"),
        ({"idempotency_key": "a\x1fb"}, "a key has"),
        ({"idempotency_key": "k-2"}, "its key makes"),
        ({"decision_id": None}, "its key makes"),
        ({"symbol": "MSFT"}, "stands under"),
        ({"symbol": None}, "stands under"),
    ],
    ids=range(16),
)
def test_an_act_that_makes_no_sense_is_told_why(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(BadOrder, match=told):
        read_act(replace(ASKED.act(ENVELOPE), **changes), "AAPL")


@pytest.mark.parametrize("symbol", ["../account", "aapl", "", "A\x1fB"])
def test_an_act_under_no_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(BadOrder, match="stands under"):
        read_act(replace(ASKED.act(ENVELOPE), symbol=symbol), symbol)


@given(arguments=st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_arguments_give_an_order_or_a_bad_order(arguments: str) -> None:
    try:
        found = read_act(replace(ASKED.act(ENVELOPE), arguments=arguments), "AAPL")
    except BadOrder:
        return
    assert isinstance(found, Submission)


@given(
    quantity=st.decimals(min_value="1e-9", max_value=10**9, places=9, allow_nan=False),
    limit=st.none() | st.decimals(min_value="0.01", max_value=10**6, places=2),
    side=st.sampled_from(["buy", "sell"]),
)
def test_what_was_written_is_what_is_read(
    quantity: Decimal, limit: Decimal | None, side: str
) -> None:
    price = None if limit is None else format(limit, "f")
    asked = submission(
        manual_order("BRK.B", side, format(quantity, "f"), price, "day"), "ann", "why", "k"
    )
    assert asked.order.quantity == quantity
    assert read_act(asked.act(ENVELOPE), "BRK.B") == asked
