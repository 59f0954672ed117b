"""Cancellations, replacements and days that do not go as asked: 204 and 200 are no promise, and the stream tells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.alpaca_client import Alpaca, eventually, listening, refused
from tests.contract.alpaca_sdk import ReplaceOrderRequest

OPEN = "2020-08-25T13:31:00+00:00"
CLOSED = "2020-08-25T20:05:00+00:00"
NEXT_OPEN = "2020-08-26T13:31:00+00:00"
NEXT_CLOSED = "2020-08-26T20:05:00+00:00"


def resting(alpaca: Alpaca, **fields: Any) -> dict[str, Any]:
    """Return an order that rests at the venue: a buy that today's range does not reach."""
    alpaca.control(now=OPEN)
    return alpaca.placed(type="limit", limit_price="90", **fields)


def replaced(alpaca: Alpaca, old: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Ask for a replacement, which must be answered well; return the new order as answered."""
    answer = alpaca.call("PATCH", f"/orders/{old['id']}", json=fields)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


@pytest.mark.parametrize(
    ("then", "end", "last_event"),
    [
        ("done", "canceled", "canceled"),
        ("filled", "filled", "fill"),
        ("rejected", "new", "order_cancel_rejected"),
    ],
)
def test_what_may_become_of_a_cancellation(
    alpaca: Alpaca, then: str, end: str, last_event: str
) -> None:
    order = resting(alpaca)
    alpaca.fault("pending_cancel", then=then, delay_ms=0)
    with listening(alpaca) as messages:
        assert alpaca.call("DELETE", f"/orders/{order['id']}").status_code == 204
        eventually(lambda: len(messages) == 2)
    assert [m["event"] for m in messages] == ["pending_cancel", last_event]
    told = alpaca.now(order)
    assert (told["status"], told["filled_qty"]) == (end, "1" if end == "filled" else "0")
    assert alpaca.book()["account"]["reserved"] == ("90" if end == "new" else "0")


def test_what_hangs_can_not_be_changed_again(alpaca: Alpaca) -> None:
    order = resting(alpaca)
    alpaca.fault("pending_replace")
    new = replaced(alpaca, order, limit_price="91")
    again = ReplaceOrderRequest(limit_price=92)
    assert refused(lambda: alpaca.trading.replace_order_by_id(order["id"], again)) == (
        422,
        {"code": 42210000, "message": "unable to replace order in current state"},
    )
    for each in (order, new):
        answer = alpaca.call("DELETE", f"/orders/{each['id']}")
        assert (answer.status_code, answer.json()["message"]) == (422, "order pending replace")
    assert [answer.status for answer in alpaca.trading.cancel_orders()] == [422, 422]


def test_a_replacement_that_takes_its_time(alpaca: Alpaca) -> None:
    old = resting(alpaca, client_order_id="old")
    alpaca.fault("pending_replace", delay_ms=0)
    with listening(alpaca) as messages:
        new = replaced(alpaca, old, limit_price="95", qty="2", client_order_id="new")
        eventually(lambda: len(messages) == 4)
    assert (new["replaces"], new["status"]) == (old["id"], "pending_new")
    assert [(m["order"]["client_order_id"], m["event"]) for m in messages] == [
        ("new", "pending_new"),
        ("old", "pending_replace"),
        ("old", "replaced"),
        ("new", "new"),
    ]
    assert alpaca.now(old)["replaced_by"] == new["id"]


def test_an_order_that_fills_before_its_replacement_reaches_it(alpaca: Alpaca) -> None:
    old = resting(alpaca, client_order_id="old")
    alpaca.fault("pending_replace", then="filled", delay_ms=0)
    with listening(alpaca) as messages:
        new = replaced(alpaca, old, limit_price="95", client_order_id="new")
        eventually(lambda: len(messages) == 4)
    assert [(m["order"]["client_order_id"], m["event"]) for m in messages] == [
        ("new", "pending_new"),
        ("old", "pending_replace"),
        ("old", "fill"),
        ("new", "rejected"),
    ]
    assert [alpaca.now(o)["status"] for o in (old, new)] == ["filled", "rejected"]
    assert alpaca.now(old)["replaced_by"] is None
    assert alpaca.book()["account"]["reserved"] == "0"


def test_a_replacement_that_the_venue_rejects(alpaca: Alpaca) -> None:
    old = resting(alpaca)
    alpaca.fault("pending_replace", then="rejected", delay_ms=0)
    new = replaced(alpaca, old, limit_price="95")
    eventually(lambda: alpaca.now(new)["status"] == "rejected")
    assert alpaca.events(old)[-2:] == ["pending_replace", "order_replace_rejected"]
    assert alpaca.now(old)["status"] == "new"
    assert alpaca.book()["account"]["reserved"] == "90"
    alpaca.control(now=CLOSED)
    assert alpaca.now(old)["status"] == "expired"


def test_a_replacement_that_hangs_until_the_close(alpaca: Alpaca) -> None:
    alpaca.control(account={"positions": {"ACME": {"qty": "10", "avg_entry_price": "90"}}})
    alpaca.control(now=OPEN)
    old = alpaca.placed(side="sell", qty="7", type="limit", limit_price="150", time_in_force="gtc")
    alpaca.fault("pending_replace")
    new = replaced(alpaca, old, qty="9")
    # Only the old order holds shares back meanwhile, and only it counts as asked for.
    assert alpaca.trading.get_open_position("ACME").qty_available == "3"
    assert alpaca.now(old)["status"] == "pending_replace"
    alpaca.control(now=CLOSED)
    assert [alpaca.now(o)["status"] for o in (old, new)] == ["replaced", "pending_new"]
    assert alpaca.trading.get_open_position("ACME").qty_available == "1"
    alpaca.control(now=NEXT_OPEN)
    assert alpaca.now(new)["status"] == "new"


def test_a_replacement_whose_means_are_gone_meanwhile_is_rejected(alpaca: Alpaca) -> None:
    old = resting(alpaca, qty="100")
    alpaca.fault("pending_replace")
    new = replaced(alpaca, old, qty="1000")
    alpaca.placed(qty="500", client_order_id="spends")
    alpaca.control(now=CLOSED)
    assert alpaca.events(old)[-2:] == ["order_replace_rejected", "expired"]
    assert alpaca.now(new)["status"] == "rejected"


def test_done_for_the_day_is_no_end_for_a_gtc_order(alpaca: Alpaca) -> None:
    alpaca.fault("done_for_day", count=2)
    gtc = alpaca.placed("SPLT", time_in_force="gtc")
    day = alpaca.placed()
    alpaca.control(now=OPEN)
    assert [alpaca.now(o)["status"] for o in (gtc, day)] == ["done_for_day", "done_for_day"]
    assert len(alpaca.trading.get_orders()) == 2
    alpaca.control(now=CLOSED)
    assert [alpaca.now(o)["status"] for o in (gtc, day)] == ["done_for_day", "expired"]
    alpaca.control(now=NEXT_OPEN)
    assert alpaca.events(gtc) == ["accepted", "new", "done_for_day", "new", "fill"]
