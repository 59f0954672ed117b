"""What alpaca-py itself does with answers, as its users met it: its own retries, its errors, its models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.alpaca_client import Alpaca, eventually, listening
from tests.contract.alpaca_sdk import APIError, MarketOrderRequest, OrderSide, TimeInForce

OPEN = "2020-08-25T13:31:00+00:00"


def one_share(**fields: Any) -> MarketOrderRequest:
    """Return a market order of a share of ACME."""
    return MarketOrderRequest(
        symbol="ACME", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, **fields
    )


def error_of(alpaca: Alpaca) -> APIError:
    """Return the error that the SDK raises on an order."""
    with pytest.raises(APIError) as raised:
        alpaca.trading.submit_order(one_share())
    return raised.value


def test_its_retry_after_a_504_doubles_an_order_without_an_id(alpaca: Alpaca) -> None:
    alpaca.trading._retry, alpaca.trading._retry_wait = 1, 0
    alpaca.fault("status", method="POST", path="/v2/orders", status=504, when="after")
    alpaca.trading.submit_order(one_share())
    assert len(alpaca.book()["orders"]) == 2


@pytest.mark.parametrize(("status", "posts"), [(429, 2), (504, 2), (500, 1), (502, 1), (503, 1)])
def test_it_retries_429_and_504_by_itself_and_nothing_else(
    alpaca: Alpaca, status: int, posts: int
) -> None:
    alpaca.trading._retry, alpaca.trading._retry_wait = 1, 0
    alpaca.fault("status", method="POST", path="/v2/orders", status=status, count=5)
    assert error_of(alpaca).status_code == status
    assert alpaca.book()["requests"]["POST /v2/orders"] == posts


@pytest.mark.parametrize(
    ("body", "of_code", "of_message"),
    [
        ("html", json.JSONDecodeError, json.JSONDecodeError),
        ("empty", json.JSONDecodeError, json.JSONDecodeError),
        ("json", KeyError, None),
    ],
)
def test_its_error_can_not_always_tell_code_and_message(
    alpaca: Alpaca, body: str, of_code: type[Exception], of_message: type[Exception] | None
) -> None:
    alpaca.fault("status", status=502, body=body)
    error = error_of(alpaca)
    assert error.status_code == 502
    with pytest.raises(of_code):
        _ = error.code
    if of_message is not None:
        with pytest.raises(of_message):
            _ = error.message


def test_its_model_refuses_an_unknown_status_of_an_order_that_was_placed(alpaca: Alpaca) -> None:
    alpaca.fault("alter", method="POST", fields={"status": "asleep"})
    with pytest.raises(ValidationError, match="asleep"):
        alpaca.trading.submit_order(one_share(client_order_id="a"))
    assert alpaca.trading.get_order_by_client_id("a").status == "accepted"


def test_answers_can_lack_fields_and_lists_be_altered(alpaca: Alpaca) -> None:
    alpaca.placed()
    alpaca.fault("alter", path="/v2/orders", without=["status"], fields={"symbol": ""})
    [order] = alpaca.call("GET", "/orders").json()
    assert "status" not in order
    assert order["symbol"] == ""


def test_stream_messages_can_be_of_unknown_kinds_and_lack_fields(alpaca: Alpaca) -> None:
    alpaca.fault(
        "stream_alter",
        fields={"event": "restated"},
        order_fields={"status": ""},
        order_without=["legs"],
    )
    with listening(alpaca) as messages:
        order = alpaca.placed()
        alpaca.control(now=OPEN)
        eventually(lambda: len(messages) == 3)
    assert [m["event"] for m in messages] == ["restated", "new", "fill"]
    assert messages[0]["order"] == {
        name: "" if name == "status" else value for name, value in order.items() if name != "legs"
    }
