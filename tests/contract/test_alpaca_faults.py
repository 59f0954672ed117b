"""The simulated Alpaca misbehaving on request, and what its book then says really happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.contract.alpaca_client import TIMEOUT_S, Alpaca, eventually, stop
from tests.contract.alpaca_sdk import MarketOrderRequest, OrderSide, TimeInForce

OPEN = "2020-08-25T13:31:00+00:00"
CLOSED = "2020-08-25T20:05:00+00:00"


def test_an_accepted_order_whose_answer_is_a_504(alpaca: Alpaca) -> None:
    alpaca.fault("status", method="POST", path="/v2/orders", status=504, body="html", when="after")
    answer = alpaca.order(client_order_id="a")
    assert (answer.status_code, answer.text[:6]) == (504, "<html>")
    found = alpaca.trading.get_order_by_client_id("a")
    assert found.status == "accepted"


def test_the_sdk_s_own_retry_after_a_504_meets_the_order_it_made(alpaca: Alpaca) -> None:
    alpaca.trading._retry, alpaca.trading._retry_wait = 1, 0
    alpaca.fault("status", method="POST", path="/v2/orders", status=504, when="after")
    request = MarketOrderRequest(
        symbol="ACME",
        qty=1,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.DAY,
        client_order_id="a",
    )
    with pytest.raises(Exception, match="client_order_id must be unique"):
        alpaca.trading.submit_order(request)
    book = alpaca.book()
    assert (len(book["orders"]), book["order_posts"]) == (1, {"a": 2})


@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_a_status_before_the_broker_acted(alpaca: Alpaca, body: str) -> None:
    alpaca.fault("status", status=503, body=body, count=2)
    for _ in range(2):
        answer = alpaca.order()
        assert answer.status_code == 503
        assert answer.headers["X-RateLimit-Limit"]
    assert alpaca.order().status_code == 200
    assert len(alpaca.book()["orders"]) == 1


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_a_dropped_connection(alpaca: Alpaca, when: str, orders: int) -> None:
    alpaca.fault("drop", method="POST", when=when)
    with pytest.raises(requests.ConnectionError):
        alpaca.order()
    assert len(alpaca.book()["orders"]) == orders
    assert alpaca.order().status_code == 200


@pytest.mark.parametrize("cut", [True, False])
def test_half_an_answer(alpaca: Alpaca, cut: bool) -> None:
    alpaca.fault("truncate", method="POST", cut=cut)
    if cut:
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            alpaca.order()
    else:
        answer = alpaca.order()
        assert answer.status_code == 200
        with pytest.raises(ValueError, match=r".+"):
            answer.json()
    assert len(alpaca.book()["orders"]) == 1


def test_latency(alpaca: Alpaca) -> None:
    alpaca.fault("latency", path="/v2/clock", latency_ms=200)
    began = time.monotonic()
    alpaca.call("GET", "/clock")
    assert time.monotonic() - began >= 0.2
    alpaca.fault("latency", method="POST", latency_ms=300)
    body = {"symbol": "ACME", "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"}
    with pytest.raises(requests.Timeout):
        alpaca.session.post(f"{alpaca.url}/v2/orders", json=body, timeout=0.05)
    # The client is gone, yet the broker acts.
    eventually(lambda: len(alpaca.book()["orders"]) == 1)


def test_an_order_that_arrives_after_look_ups_said_no(alpaca: Alpaca) -> None:
    alpaca.fault("late", method="POST", path="/v2/orders", delay_ms=3_000)
    assert alpaca.order(client_order_id="a").status_code == 504
    query = {"client_order_id": "a"}
    assert alpaca.call("GET", "/orders:by_client_order_id", params=query).status_code == 404
    eventually(lambda: len(alpaca.book()["orders"]) == 1)
    assert alpaca.call("GET", "/orders:by_client_order_id", params=query).status_code == 200


def test_hidden_orders(alpaca: Alpaca) -> None:
    alpaca.placed(client_order_id="a")
    alpaca.fault("hide_order_lookups", count=2)
    query = {"client_order_id": "a"}
    statuses = [
        alpaca.call("GET", "/orders:by_client_order_id", params=query).status_code for _ in range(3)
    ]
    assert statuses == [404, 404, 200]


def test_partial_fills_then_the_rest(alpaca: Alpaca) -> None:
    alpaca.fault("partial_fill", fractions=["0.25", "0.3"])
    order = alpaca.placed(qty="10")
    alpaca.control(now=OPEN)
    assert alpaca.events(order) == ["accepted", "new", "partial_fill", "partial_fill", "fill"]
    assert [f["qty"] for f in alpaca.book()["fills"]] == ["2", "3", "5"]


@pytest.mark.parametrize(("rest", "end"), [("hold", "expired"), ("cancel", "canceled")])
def test_an_order_that_ends_with_a_filled_part(alpaca: Alpaca, rest: str, end: str) -> None:
    alpaca.fault("partial_fill", fractions=["0.5"], rest=rest)
    order = alpaca.placed(qty="10")
    alpaca.control(now=OPEN)
    assert alpaca.now(order)["filled_qty"] == "5"
    alpaca.control(now=CLOSED)
    told = alpaca.now(order)
    assert (told["status"], told["filled_qty"], told["filled_avg_price"]) == (end, "5", "101")
    account = alpaca.trading.get_account()
    assert (account.cash, account.buying_power) == ("99495", "99495")


def test_rejected_after_acceptance(alpaca: Alpaca) -> None:
    alpaca.fault("reject", client_order_id="a")
    other, order = alpaca.placed("SPLT"), alpaca.placed(client_order_id="a")
    alpaca.control(now=OPEN)
    told = alpaca.now(order)
    assert (told["status"], told["failed_at"][:19]) == ("rejected", "2020-08-25T13:30:00")
    assert alpaca.now(other)["status"] == "filled"
    assert alpaca.book()["account"]["reserved"] == "0"


def test_a_cancellation_that_hangs(alpaca: Alpaca) -> None:
    alpaca.fault("pending_cancel")
    order = alpaca.placed()
    path = f"/orders/{order['id']}"
    assert alpaca.call("DELETE", path).status_code == 204
    assert alpaca.now(order)["status"] == "pending_cancel"
    again = alpaca.call("DELETE", path)
    assert (again.status_code, again.json()["message"]) == (422, "order pending cancel")
    alpaca.control(now=CLOSED)
    assert alpaca.now(order)["status"] == "canceled"


def test_faults_are_chosen_by_path_skip_and_seeded_chance(start: Callable[..., Alpaca]) -> None:
    patterns = []
    for _ in range(2):
        alpaca = start()
        alpaca.fault("status", status=500, path="/v2/cl*", probability=0.5, seed=7)
        alpaca.fault("status", status=502, path="/v2/account", skip=2, count=1)
        clocks = [alpaca.call("GET", "/clock").status_code for _ in range(20)]
        accounts = [alpaca.call("GET", "/account").status_code for _ in range(4)]
        assert accounts == [200, 200, 502, 200]
        patterns.append(clocks)
        stop(alpaca)
    assert patterns[0] == patterns[1]
    assert set(patterns[0]) == {200, 500}


def test_faults_on_one_symbol_s_orders_and_clearing(alpaca: Alpaca) -> None:
    alpaca.fault("status", status=500, method="POST", symbol="SPLT", until_cleared=True)
    assert [alpaca.order(s).status_code for s in ("ACME", "SPLT", "SPLT")] == [200, 500, 500]
    told = alpaca.book()["faults"]
    assert [(f["kind"], f["met"], f["struck"], f["is_spent"]) for f in told] == [
        ("status", 2, 2, False)
    ]
    alpaca.control(clear_faults=True)
    assert alpaca.order("SPLT").status_code == 200
    assert alpaca.book()["faults"] == []


def test_arrivals_are_counted(alpaca: Alpaca) -> None:
    order = alpaca.placed(client_order_id="a")
    alpaca.now(order)
    requests.get(f"{alpaca.url}/v2/account", timeout=TIMEOUT_S)
    book = alpaca.book()
    assert book["requests"] == {
        "GET /v2/account": 1,
        "GET /v2/orders/{id}": 1,
        "POST /v2/orders": 1,
    }
    assert book["answers"] == {
        "GET /v2/account 401": 1,
        "GET /v2/orders/{id} 200": 1,
        "POST /v2/orders 200": 1,
    }
    assert book["order_posts"] == {"a": 1}


def test_when_and_over_which_connection_an_order_came_is_told_when_asked_for(
    alpaca: Alpaca,
) -> None:
    began = time.time_ns(), time.monotonic_ns()
    alpaca.placed(client_order_id="a")
    alpaca.order(client_order_id="a")
    over = time.time_ns(), time.monotonic_ns()
    url = f"{alpaca.url}/control?parts=arrivals"
    first, second = requests.get(url, timeout=TIMEOUT_S).json()["arrivals"]
    assert first["client_order_id"] == second["client_order_id"] == "a"
    assert first["connection"] == second["connection"] > 0
    for number, clock in enumerate(("real_ns", "monotonic_ns")):
        assert began[number] <= first[clock] <= second[clock] <= over[number]
    assert "arrivals" not in alpaca.book()


def test_the_rate_limit_can_be_changed_on_the_way(alpaca: Alpaca) -> None:
    alpaca.control(rate_limit=1)
    answers: list[Any] = [alpaca.call("GET", "/clock").status_code for _ in range(3)]
    assert 429 in answers
    alpaca.control(rate_limit=0)
    assert alpaca.call("GET", "/clock").status_code == 200


def test_one_id_with_two_bodies_shows(alpaca: Alpaca) -> None:
    alpaca.placed(client_order_id="a")
    alpaca.order(client_order_id="a", qty="2")
    alpaca.placed(client_order_id="b")
    alpaca.order(client_order_id="b")
    book = alpaca.book()
    assert (book["order_posts"], book["changed_order_posts"]) == ({"a": 2, "b": 2}, ["a"])


def test_parts_of_the_book(alpaca: Alpaca) -> None:
    alpaca.placed()
    url = f"{alpaca.url}/control"
    part = requests.get(f"{url}?parts=now,open_order_count", timeout=TIMEOUT_S).json()
    assert part == {"now": "2020-08-25T11:00:00+00:00", "open_order_count": 1}
    assert requests.get(f"{url}?parts=rest", timeout=TIMEOUT_S).status_code == 422
