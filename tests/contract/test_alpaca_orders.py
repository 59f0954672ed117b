"""The life of an order at the simulated Alpaca, seen with alpaca-py: entry, fills by the fixed rule, its ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.alpaca_client import Alpaca, refused, stop
from tests.contract.alpaca_sdk import (
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    OrderSide,
    OrderStatus,
    QueryOrderStatus,
    ReplaceOrderRequest,
    TimeInForce,
)

OPEN = "2020-08-25T13:31:00+00:00"
CLOSED = "2020-08-25T20:05:00+00:00"
NEXT_OPEN = "2020-08-26T13:31:00+00:00"
NEXT_CLOSED = "2020-08-26T20:05:00+00:00"


def market(symbol: str = "ACME", **fields: Any) -> MarketOrderRequest:
    """Return a market order of one share for the day."""
    given = {"qty": 1, "side": OrderSide.BUY, "time_in_force": TimeInForce.DAY} | fields
    return MarketOrderRequest(symbol=symbol, **given)


def test_an_order_before_the_open_waits_accepted_and_fills_at_the_open(alpaca: Alpaca) -> None:
    taken = alpaca.trading.submit_order(market(qty=3, client_order_id="a"))
    assert taken.status == OrderStatus.ACCEPTED
    alpaca.control(now=OPEN)
    order = alpaca.trading.get_order_by_client_id("a")
    assert (order.status, order.filled_qty, order.filled_avg_price) == ("filled", "3", "101")
    assert order.filled_at.isoformat() == "2020-08-25T13:30:00+00:00"
    assert order.id == taken.id
    assert alpaca.events({"id": str(order.id)}) == ["accepted", "new", "fill"]


def test_an_order_in_the_session_answers_pending_new_and_is_filled_at_the_open_price(
    alpaca: Alpaca,
) -> None:
    alpaca.control(now=OPEN)
    taken = alpaca.trading.submit_order(market())
    assert taken.status == OrderStatus.PENDING_NEW
    order = alpaca.trading.get_order_by_id(taken.id)
    assert (order.status, order.filled_avg_price) == ("filled", "101")
    assert alpaca.events({"id": str(order.id)}) == ["pending_new", "new", "fill"]


def test_an_order_after_the_close_waits_for_the_next_session(alpaca: Alpaca) -> None:
    alpaca.control(now=CLOSED)
    order = alpaca.placed()
    assert order["status"] == "accepted"
    alpaca.control(now="2020-08-26T13:29:59+00:00")
    assert alpaca.now(order)["status"] == "accepted"
    alpaca.control(now="2020-08-26T13:30:00+00:00")
    assert alpaca.now(order)["filled_avg_price"] == "102"


@pytest.mark.parametrize(
    ("side", "limit", "price", "at"),
    [
        ("buy", 102, "101", "2020-08-25T13:30:00"),  # the open is better than the limit
        ("buy", 100.5, "100.5", "2020-08-25T20:00:00"),  # reached later in the session
        ("buy", 100, "100", "2020-08-25T20:00:00"),  # touched exactly
        ("buy", 99.99, None, None),
        ("sell", 100, "101", "2020-08-25T13:30:00"),
        ("sell", 103, "103", "2020-08-25T20:00:00"),
        ("sell", 103.01, None, None),
    ],
)
def test_limit_orders_fill_when_the_range_touches_them(
    alpaca: Alpaca, side: str, limit: float, price: str | None, at: str | None
) -> None:
    alpaca.control(account={"positions": {"ACME": {"qty": "1", "avg_entry_price": "90"}}})
    taken = alpaca.trading.submit_order(
        LimitOrderRequest(
            symbol="ACME",
            qty=1,
            side=OrderSide(side),
            time_in_force=TimeInForce.DAY,
            limit_price=limit,
        )
    )
    alpaca.control(now=CLOSED)
    order = alpaca.now({"id": taken.id})
    assert order["filled_avg_price"] == price
    assert order["status"] == ("filled" if price else "expired")
    if at is not None:
        assert order["filled_at"].startswith(at)


def test_a_limit_order_is_not_filled_before_its_range_is_known(alpaca: Alpaca) -> None:
    order = alpaca.placed(type="limit", limit_price="100.5")
    alpaca.control(now="2020-08-25T19:59:59+00:00")
    assert alpaca.now(order)["status"] == "new"


def test_a_good_till_cancelled_order_stays_over_sessions(alpaca: Alpaca) -> None:
    order = alpaca.placed(type="limit", limit_price="98.5", time_in_force="gtc")
    assert order["expires_at"].startswith("2020-11-23")
    alpaca.control(now=CLOSED)
    assert alpaca.now(order)["status"] == "new"
    alpaca.control(now=NEXT_CLOSED)
    assert alpaca.now(order)["filled_avg_price"] == "98.5"


@pytest.mark.parametrize(
    ("side", "stop", "price"),
    [("buy", "102.5", "102.5"), ("buy", "100", "101"), ("sell", "100.5", "100.5")],
)
def test_stop_orders_trade_once_triggered(alpaca: Alpaca, side: str, stop: str, price: str) -> None:
    alpaca.control(account={"positions": {"ACME": {"qty": "1", "avg_entry_price": "90"}}})
    order = alpaca.placed(side=side, type="stop", stop_price=stop)
    alpaca.control(now=CLOSED)
    assert alpaca.now(order)["filled_avg_price"] == price


def test_auction_and_immediate_orders(alpaca: Alpaca) -> None:
    at_open = alpaca.placed(time_in_force="opg")
    at_close = alpaca.placed(time_in_force="cls")
    missed = alpaca.placed(type="limit", limit_price="100.5", time_in_force="opg")
    alpaca.control(now=OPEN)
    assert alpaca.now(at_open)["filled_avg_price"] == "101"
    assert alpaca.now(missed)["status"] == "canceled"
    assert alpaca.now(at_close)["status"] == "new"
    now_or_never = alpaca.placed(type="limit", limit_price="100.5", time_in_force="ioc")
    assert alpaca.now(now_or_never)["status"] == "canceled"
    alpaca.control(now=CLOSED)
    assert alpaca.now(at_close)["filled_avg_price"] == "102"


def test_a_symbol_without_a_price_in_the_session_leaves_its_order_to_expire(
    alpaca: Alpaca,
) -> None:
    order = alpaca.placed("HOLE")
    alpaca.control(now=OPEN)
    assert alpaca.now(order)["status"] == "accepted"
    alpaca.control(now=CLOSED)
    assert alpaca.events(order) == ["accepted", "expired"]
    assert alpaca.trading.get_account().buying_power == "100000"


def test_cancelling(alpaca: Alpaca) -> None:
    order = alpaca.placed()
    assert alpaca.call("DELETE", f"/orders/{order['id']}").status_code == 204
    assert alpaca.now(order)["status"] == "canceled"
    assert refused(lambda: alpaca.trading.cancel_order_by_id(order["id"])) == (
        422,
        {"code": 42210000, "message": 'order is already in "canceled" state'},
    )
    unknown = "00000000-0000-4000-8000-000000000000"
    assert refused(lambda: alpaca.trading.cancel_order_by_id(unknown)) == (
        404,
        {"code": 40410000, "message": f"order not found for {unknown}"},
    )


def test_cancelling_all_answers_one_status_an_order(alpaca: Alpaca) -> None:
    orders = [alpaca.placed(), alpaca.placed("SPLT")]
    answers = alpaca.trading.cancel_orders()
    assert [(str(a.id), a.status) for a in answers] == [(o["id"], 200) for o in orders]
    assert alpaca.trading.get_orders() == []


def test_replacing_makes_a_new_order_that_names_the_old(alpaca: Alpaca) -> None:
    old = alpaca.placed(type="limit", limit_price="90", client_order_id="first")
    new = alpaca.trading.replace_order_by_id(
        old["id"], ReplaceOrderRequest(qty=2, limit_price=101, client_order_id="second")
    )
    assert (str(new.replaces), new.qty, new.limit_price) == (old["id"], "2", "101")
    replaced = alpaca.now(old)
    assert (replaced["status"], replaced["replaced_by"]) == ("replaced", str(new.id))
    assert alpaca.book()["account"]["reserved"] == "202"
    alpaca.control(now=CLOSED)
    assert alpaca.now({"id": new.id})["filled_qty"] == "2"
    assert refused(
        lambda: alpaca.trading.replace_order_by_id(str(new.id), ReplaceOrderRequest(qty=1))
    ) == (422, {"code": 42210000, "message": "unable to replace order in current state"})


def test_a_refused_replacement_leaves_the_old_order_as_it_was(alpaca: Alpaca) -> None:
    old = alpaca.placed(type="limit", limit_price="90")
    request = ReplaceOrderRequest(qty=100_000)
    status, body = refused(lambda: alpaca.trading.replace_order_by_id(old["id"], request))
    assert (status, body["message"]) == (403, "insufficient buying power")
    assert alpaca.now(old)["status"] == "accepted"
    assert alpaca.book()["account"]["reserved"] == "90"


def test_listing_orders(alpaca: Alpaca) -> None:
    first, second = alpaca.placed(), alpaca.placed("SPLT")
    alpaca.control(now=OPEN)
    third = alpaca.placed(type="limit", limit_price="90")

    def ids(**query: Any) -> list[str]:
        return [str(o.id) for o in alpaca.trading.get_orders(GetOrdersRequest(**query))]

    everything = [third["id"], second["id"], first["id"]]
    assert ids(status=QueryOrderStatus.ALL) == everything
    assert ids() == ids(status=QueryOrderStatus.OPEN) == [third["id"]]
    assert ids(status=QueryOrderStatus.CLOSED) == everything[1:]
    assert ids(status=QueryOrderStatus.ALL, direction="asc") == everything[::-1]
    assert ids(status=QueryOrderStatus.ALL, limit=1) == [third["id"]]
    assert ids(status=QueryOrderStatus.ALL, symbols=["SPLT", "HOLE"]) == [second["id"]]
    assert ids(status=QueryOrderStatus.ALL, side=OrderSide.SELL) == []
    query = {"status": "all", "after": first["submitted_at"], "until": third["submitted_at"]}
    assert [o["id"] for o in alpaca.call("GET", "/orders", params=query).json()] == [second["id"]]
    query = {"status": "all", "after_order_id": first["id"], "direction": "asc"}
    found = alpaca.call("GET", "/orders", params=query).json()
    assert [o["id"] for o in found] == [second["id"], third["id"]]
    query = {"status": "all", "before_order_id": third["id"], "nested": "true"}
    found = alpaca.call("GET", "/orders", params=query).json()
    assert [o["id"] for o in found] == [second["id"], first["id"]]
    query["after"] = first["submitted_at"]
    assert alpaca.call("GET", "/orders", params=query).status_code == 422
    assert alpaca.call("GET", "/orders", params={"asset_class": "crypto"}).json() == []
    assert alpaca.call("GET", "/orders", params={"limit": "501"}).status_code == 422
    assert alpaca.call("GET", "/orders", params={"status": "what"}).status_code == 422


def test_orders_of_one_instant_differ_by_nanoseconds_only(alpaca: Alpaca) -> None:
    first, second = alpaca.placed(), alpaca.placed("SPLT")
    assert first["submitted_at"] == "2020-08-25T11:00:00.000000000Z"
    assert second["submitted_at"] == "2020-08-25T11:00:00.000000001Z"


def test_the_same_requests_make_the_same_book(start: Callable[..., Alpaca]) -> None:
    books = []
    for _ in range(2):
        alpaca = start()
        alpaca.placed(client_order_id="one")
        alpaca.placed("SPLT", qty="2")
        alpaca.control(now=NEXT_CLOSED)
        books.append(alpaca.book())
        stop(alpaca)
    assert books[0] == books[1]


def test_numbers_are_strings_and_every_documented_field_is_there(alpaca: Alpaca) -> None:
    order = alpaca.placed(qty=1.0)
    assert order["qty"] == "1"
    assert order["filled_qty"] == "0"
    assert order["filled_avg_price"] is None
    named = """id client_order_id created_at updated_at submitted_at filled_at expired_at canceled_at
        failed_at replaced_at replaced_by replaces asset_id symbol asset_class notional qty filled_qty
        filled_avg_price order_class order_type type side time_in_force limit_price stop_price status
        extended_hours legs trail_percent trail_price hwm subtag source expires_at position_intent"""
    assert set(order) == set(named.split())


@pytest.mark.parametrize("now", [OPEN, CLOSED])
def test_dollar_orders_buy_parts_of_shares(alpaca: Alpaca, now: str) -> None:
    alpaca.control(now=now)
    order = alpaca.placed(notional="1000")
    assert (order["qty"], order["notional"]) == (None, "1000")
    alpaca.control(now=NEXT_OPEN)
    filled = alpaca.now(order)
    price = filled["filled_avg_price"]
    assert (filled["status"], price) == ("filled", "101" if now == OPEN else "102")
    assert filled["filled_qty"] == {"101": "9.900990099", "102": "9.803921568"}[price]
