"""Every refusal of the simulated Alpaca: status, code and text, as alpaca-py raises them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.contract.alpaca_client import TIMEOUT_S, Alpaca, refused, stop
from tests.contract.alpaca_sdk import MarketOrderRequest, OrderSide, TimeInForce, TradingClient

SUB_PENNY = "sub-penny increment does not fulfill minimum pricing criteria"
OPEN = "2020-08-25T13:31:00+00:00"


def told(answer: requests.Response) -> tuple[int, Any, str]:
    """Return an answer's status, code and message."""
    body = answer.json()
    return answer.status_code, body.get("code"), body["message"]


def test_wrong_keys(alpaca: Alpaca) -> None:
    client = TradingClient("wrong", "keys", url_override=alpaca.url)
    assert refused(client.get_account) == (401, {"message": "unauthorized."})
    bare = requests.get(f"{alpaca.url}/v2/stocks/ACME/bars?timeframe=1Day", timeout=TIMEOUT_S)
    assert bare.status_code == 401


def test_a_client_order_id_is_used_up_for_ever(alpaca: Alpaca) -> None:
    duplicate = (422, 40010001, "client_order_id must be unique")
    order = alpaca.placed(client_order_id="once")
    assert told(alpaca.order(client_order_id="once")) == duplicate
    alpaca.call("DELETE", f"/orders/{order['id']}")
    assert told(alpaca.order(client_order_id="once")) == duplicate
    alpaca.fault("reject")
    alpaca.control(now=OPEN)
    rejected = alpaca.placed(client_order_id="twice")
    assert alpaca.now(rejected)["status"] == "rejected"
    assert told(alpaca.order(client_order_id="twice")) == duplicate
    book = alpaca.book()
    assert book["order_posts"] == {"once": 3, "twice": 2}
    assert book["refused_duplicates"] == {"once": 2, "twice": 1}


def test_a_used_id_is_told_even_when_the_money_is_gone(alpaca: Alpaca) -> None:
    alpaca.placed(qty="950", client_order_id="all-in")
    answer = told(alpaca.order(qty="950", client_order_id="all-in"))
    assert answer == (422, 40010001, "client_order_id must be unique")


def test_a_refused_order_does_not_use_its_id_up(alpaca: Alpaca) -> None:
    assert alpaca.order(qty="100000", client_order_id="again").status_code == 403
    alpaca.placed(qty="1", client_order_id="again")


def test_insufficient_buying_power(alpaca: Alpaca) -> None:
    alpaca.control(now=OPEN)
    request = MarketOrderRequest(
        symbol="ACME", qty=991, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
    )
    assert refused(lambda: alpaca.trading.submit_order(request)) == (
        403,
        {
            "code": 40310000,
            "message": "insufficient buying power",
            "buying_power": "100000",
            "cost_basis": "100091",
        },
    )


def test_selling_more_than_is_free(alpaca: Alpaca) -> None:
    alpaca.control(account={"positions": {"ACME": {"qty": "10", "avg_entry_price": "90"}}})
    held = alpaca.placed(side="sell", qty="7", type="limit", limit_price="200")
    answer = alpaca.order(side="sell", qty="4")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 4, available: 3)",
        "available": "3",
        "existing_qty": "10",
        "held_for_orders": "7",
        "symbol": "ACME",
        "related_orders": [held["id"]],
    }
    assert alpaca.order(side="sell", qty="3").status_code == 200


def test_a_cash_account_does_not_sell_short(alpaca: Alpaca) -> None:
    assert told(alpaca.order(side="sell")) == (
        403,
        40310000,
        "account not allowed to short",
    )


def test_wash_trades(alpaca: Alpaca) -> None:
    alpaca.control(account={"positions": {"ACME": {"qty": "10", "avg_entry_price": "90"}}})
    sell = alpaca.placed(side="sell", type="limit", limit_price="105")
    assert alpaca.order(type="limit", limit_price="104.99").status_code == 200
    answer = alpaca.order(type="limit", limit_price="105")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": 40310000,
        "message": "potential wash trade detected. use complex orders",
        "existing_order_id": sell["id"],
        "reject_reason": "opposite side limit order exists",
    }
    alpaca.trading.cancel_orders()
    alpaca.placed(side="sell")
    body = alpaca.order().json()
    assert body["reject_reason"] == "opposite side market/stop order exists"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"qty": "0"}, (422, 40010001, "qty must be > 0")),
        ({"qty": "-1"}, (422, 40010001, "qty must be > 0")),
        ({"qty": "many"}, (422, 40010001, "invalid qty: many")),
        ({"qty": None}, (422, 40010001, "qty or notional is required")),
        (
            {"qty": "1", "notional": "5"},
            (422, 40010001, "only one of qty or notional is accepted"),
        ),
        ({"symbol": ""}, (422, 40010001, "symbol is required")),
        ({"side": "hold"}, (422, 40010001, "invalid side: hold")),
        ({"type": "trailing_stop"}, (422, 40010001, "invalid type: trailing_stop")),
        ({"time_in_force": "week"}, (422, 40010001, "invalid time_in_force: week")),
        ({"order_class": "bracket"}, (422, 40010001, "invalid order_class: bracket")),
        ({"type": "limit"}, (422, 40010001, "limit orders require limit_price")),
        ({"limit_price": "1"}, (422, 40010001, "market orders must not have limit_price")),
        (
            {"client_order_id": "x" * 129},
            (422, 40010001, "client_order_id must be no more than 128 characters"),
        ),
        (
            {"type": "limit", "limit_price": "1.2345"},
            (
                422,
                42210000,
                f"invalid limit_price 1.2345. {SUB_PENNY}",
            ),
        ),
        (
            {"qty": "1.5", "time_in_force": "gtc"},
            (422, 42210000, "fractional orders must be DAY orders"),
        ),
        (
            {"notional": "5.123"},
            (422, 42210000, "notional value must be limited to 2 decimal places"),
        ),
        (
            {"notional": "0.5"},
            (403, 40310000, "cost basis must be >= minimal amount of order 1"),
        ),
        (
            {"extended_hours": True},
            (422, 42210000, "extended hours order must be DAY or GTC limit orders"),
        ),
        ({"symbol": "WHAT"}, (404, 40410000, "asset not found for WHAT")),
        ({"symbol": "NOPRICE"}, (422, 42210000, 'asset "NOPRICE" is not tradable')),
        ({"symbol": "LATE"}, (422, 42210000, 'asset "LATE" is not tradable')),
    ],
)
def test_orders_that_can_not_be_taken(
    alpaca: Alpaca, fields: dict[str, Any], expected: tuple[int, int, str]
) -> None:
    assert told(alpaca.order(**fields)) == expected
    assert alpaca.book()["orders"] == []


def test_four_decimals_are_fine_below_a_dollar(alpaca: Alpaca) -> None:
    order = alpaca.placed("PNNY", type="limit", limit_price="0.5123", qty="100")
    assert order["limit_price"] == "0.5123"
    assert alpaca.order("PNNY", type="limit", limit_price="0.51234").status_code == 422


def test_no_price_in_the_running_session_is_not_tradable(alpaca: Alpaca) -> None:
    alpaca.control(now=OPEN)
    assert told(alpaca.order("HOLE")) == (422, 42210000, 'asset "HOLE" is not tradable')


def test_switches_of_the_account_and_its_assets(alpaca: Alpaca) -> None:
    alpaca.control(rules={"inactive_symbols": ["SPLT"], "whole_share_symbols": ["ACME"]})
    assert told(alpaca.order("SPLT")) == (422, 42210000, 'asset "SPLT" is not active')
    assert told(alpaca.order(qty="0.5")) == (422, 42210000, 'asset "ACME" is not fractionable')
    alpaca.call("PATCH", "/account/configurations", json={"suspend_trade": True})
    assert told(alpaca.order()) == (403, 40310000, "new orders are rejected by user request")
    assert alpaca.trading.get_account().trade_suspended_by_user is True


@pytest.mark.parametrize(
    ("now", "time_in_force", "status"),
    [
        ("2020-08-25T13:27:59+00:00", "opg", 200),
        ("2020-08-25T13:28:00+00:00", "opg", 422),
        ("2020-08-25T22:59:59+00:00", "opg", 422),
        ("2020-08-25T23:00:00+00:00", "opg", 200),
        ("2020-08-25T19:49:59+00:00", "cls", 200),
        ("2020-08-25T19:50:00+00:00", "cls", 422),
        ("2020-08-29T18:00:00+00:00", "opg", 200),
    ],
)
def test_auction_orders_have_their_hours(
    alpaca: Alpaca, now: str, time_in_force: str, status: int
) -> None:
    alpaca.control(now=now)
    assert alpaca.order(time_in_force=time_in_force).status_code == status


def test_the_rate_limit_is_told_and_held(start: Callable[..., Alpaca]) -> None:
    alpaca = start(rate_limit=3)
    answers = [alpaca.call("GET", "/clock") for _ in range(8)]  # a minute may end on the way
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 429}
    assert [a.headers["X-RateLimit-Limit"] for a in answers] == ["3"] * 8
    assert answers[0].headers["X-RateLimit-Remaining"] == "2"
    assert int(answers[0].headers["X-RateLimit-Reset"]) % 60 == 0
    late = next(answer for answer in answers if answer.status_code == 429)
    assert told(late) == (429, 42910000, "rate limit exceeded")
    stop(alpaca)


def test_every_answer_has_a_request_id_and_the_limit(alpaca: Alpaca) -> None:
    answers = [alpaca.call("GET", "/account"), alpaca.call("GET", "/nothing")]
    for answer in answers:
        assert answer.headers["X-Request-ID"]
        assert answer.headers["X-RateLimit-Remaining"].isdecimal()
    assert told(answers[1]) == (404, 40410000, "endpoint not found.")


def test_bodies_that_are_no_object(alpaca: Alpaca) -> None:
    for body in (b"", b"{", b"[]", b'{"qty": NaN}'):
        answer = alpaca.call("POST", "/orders", data=body)
        assert told(answer) == (400, 40010000, "request body format is invalid")


def test_look_ups_of_what_is_not_there(alpaca: Alpaca) -> None:
    trading = alpaca.trading
    assert refused(lambda: trading.get_order_by_client_id("none")) == (
        404,
        {"code": 40410000, "message": "order not found for none"},
    )
    assert refused(lambda: trading.get_open_position("ACME")) == (
        404,
        {"code": 40410000, "message": "position does not exist"},
    )
    assert refused(lambda: trading.close_position("ACME"))[0] == 404
    assert refused(lambda: trading.get_asset("WHAT")) == (
        404,
        {"code": 40410000, "message": "asset not found for WHAT"},
    )
