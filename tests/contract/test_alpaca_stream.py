"""The trade_updates stream of the simulated Alpaca: its protocol raw, and alpaca-py's TradingStream on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.contract.alpaca_client import Alpaca, eventually, listening
from tests.contract.alpaca_sdk import TradeUpdate
from tests.contract.alpaca_server import KEYS

OPEN = "2020-08-25T13:31:00+00:00"
AUTHENTICATE = {
    "action": "authenticate",
    "data": {"key_id": KEYS.key_id, "secret_key": KEYS.secret_key},
}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}
TIMEOUT_S = 60.0


class Talk:
    """A raw connection, message by message."""

    def __init__(self, socket: ClientConnection) -> None:
        """Talk over ``socket``."""
        self.socket = socket

    def say(self, message: Any) -> dict[str, Any]:
        """Send a message and return the answer."""
        self.socket.send(json.dumps(message))
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Return the next message, which must be a binary frame of JSON."""
        frame = self.socket.recv(timeout=TIMEOUT_S)
        assert isinstance(frame, bytes)
        content: dict[str, Any] = json.loads(frame)
        return content


@contextmanager
def talking(alpaca: Alpaca) -> Iterator[Talk]:
    """Yield a raw connection to the stream."""
    with connect(alpaca.stream_url) as socket:
        yield Talk(socket)


def authorization(status: str, action: str) -> dict[str, Any]:
    """Return the server's word on keys."""
    return {"stream": "authorization", "data": {"status": status, "action": action}}


def test_authentication_then_listening(alpaca: Alpaca) -> None:
    with talking(alpaca) as talk:
        assert talk.say(LISTEN) == authorization("unauthorized", "listen")
        wrong = {"action": "authenticate", "data": {"key_id": "a", "secret_key": "b"}}
        assert talk.say(wrong) == authorization("unauthorized", "authenticate")
        assert talk.say(AUTHENTICATE) == authorization("authorized", "authenticate")
        both = {"action": "listen", "data": {"streams": ["trade_updates", "gossip"]}}
        expected = {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        assert talk.say(both) == expected
        none = {"action": "listen", "data": {"streams": []}}
        assert talk.say(none) == {"stream": "listening", "data": {"streams": []}}


def test_the_older_form_of_authentication(alpaca: Alpaca) -> None:
    with talking(alpaca) as talk:
        older = {"action": "auth", "key": KEYS.key_id, "secret": KEYS.secret_key}
        assert talk.say(older) == authorization("authorized", "authenticate")


def test_every_change_is_told_with_the_whole_order(alpaca: Alpaca) -> None:
    with talking(alpaca) as talk:
        talk.say(AUTHENTICATE)
        talk.say(LISTEN)
        order = alpaca.placed(qty="2", client_order_id="a")
        accepted = talk.hear()
        assert accepted["stream"] == "trade_updates"
        assert accepted["data"]["event"] == "accepted"
        assert accepted["data"]["order"] == order
        assert set(accepted["data"]) == {"event", "timestamp", "order"}
        alpaca.control(now=OPEN)
        assert talk.hear()["data"]["event"] == "new"
        fill = talk.hear()["data"]
    assert fill["order"] == alpaca.now(order)
    assert (fill["event"], fill["price"], fill["qty"], fill["position_qty"]) == (
        "fill",
        "101",
        "2",
        "2",
    )
    activity = alpaca.call("GET", "/account/activities/FILL").json()[0]
    assert fill["execution_id"] == activity["execution_id"]
    assert fill["timestamp"] == activity["transaction_time"] == fill["order"]["filled_at"]


def test_a_fill_may_be_told_before_the_answer_to_the_order(alpaca: Alpaca) -> None:
    alpaca.control(now=OPEN)
    alpaca.fault("latency", path="/v2/orders", latency_ms=300, when="after")
    with listening(alpaca) as messages:
        answer = alpaca.placed()
        assert answer["status"] == "pending_new"
        assert [m["event"] for m in messages] == ["pending_new", "new", "fill"]


def test_the_sdk_reads_every_kind_of_event(alpaca: Alpaca) -> None:
    alpaca.fault("partial_fill", symbol="ACME")
    alpaca.fault("reject", symbol="SPLT")
    alpaca.fault("pending_cancel", symbol="PNNY")
    with listening(alpaca) as messages:
        alpaca.placed(qty="10")
        alpaca.placed("SPLT")
        slow = alpaca.placed("PNNY", qty="10")
        alpaca.call("DELETE", f"/orders/{slow['id']}")
        old = alpaca.placed("HOLE", type="limit", limit_price="40")
        alpaca.call("PATCH", f"/orders/{old['id']}", json={"limit_price": "41"})
        alpaca.control(now="2020-08-25T20:05:00+00:00")
        eventually(lambda: len(messages) == 13)
    told: dict[str, list[str]] = {}
    for message in messages:
        update = TradeUpdate(**message)
        told.setdefault(str(update.order.symbol), []).append(str(message["event"]))
    assert told == {
        "ACME": ["accepted", "new", "partial_fill", "fill"],
        "SPLT": ["accepted", "rejected"],
        "PNNY": ["accepted", "pending_cancel", "canceled"],
        "HOLE": ["accepted", "replaced", "accepted", "expired"],
    }


def test_nothing_is_told_again_after_a_reconnect(alpaca: Alpaca) -> None:
    with listening(alpaca) as messages:
        alpaca.placed()
        eventually(lambda: len(messages) == 1)
        alpaca.fault("stream_drop")
        alpaca.placed("SPLT")
        eventually(lambda: alpaca.book()["stream"]["connected_count"] == 2)
        eventually(lambda: alpaca.book()["stream"]["listening"] == 1)
        alpaca.placed("PNNY", qty="10")
        eventually(lambda: len(messages) == 2)
        assert [m["order"]["symbol"] for m in messages] == ["ACME", "PNNY"]


def test_a_second_connection_of_the_account_is_closed(alpaca: Alpaca) -> None:
    with talking(alpaca) as first, talking(alpaca) as second:
        first.say(AUTHENTICATE)
        with pytest.raises(ConnectionClosed) as closed:
            second.say(AUTHENTICATE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert first.say(LISTEN)["stream"] == "listening"
    with talking(alpaca) as third:
        eventually(lambda: alpaca.book()["stream"]["connections"] == 0)
        assert third.say(AUTHENTICATE) == authorization("authorized", "authenticate")


def test_a_refused_connection(alpaca: Alpaca) -> None:
    alpaca.fault("stream_refuse")
    with pytest.raises(InvalidStatus) as refusal:
        connect(alpaca.stream_url)
    assert refusal.value.response.status_code == 429
    with talking(alpaca) as talk:
        assert talk.say(AUTHENTICATE)["data"]["status"] == "authorized"


@pytest.mark.parametrize(("fields", "code"), [({"code": 1011}, 1011), ({"abort": True}, None)])
def test_dropped_connections(alpaca: Alpaca, fields: dict[str, Any], code: int | None) -> None:
    with talking(alpaca) as talk:
        talk.say(AUTHENTICATE)
        alpaca.fault("stream_drop", **fields)
        with pytest.raises(ConnectionClosed) as closed:
            talk.hear()
    assert (closed.value.rcvd.code if closed.value.rcvd else None) == code


def test_a_mute_stream_stays_connected_and_loses_what_happens(alpaca: Alpaca) -> None:
    with listening(alpaca) as messages:
        alpaca.fault("stream_mute")
        alpaca.placed()
        alpaca.control(now=OPEN)
        alpaca.control(clear_faults=True)
        alpaca.placed(type="limit", limit_price="90")
        eventually(lambda: len(messages) == 2)
        assert [m["event"] for m in messages] == ["pending_new", "new"]
        told = alpaca.book()["stream"]
        assert (told["lost_count"], told["connected_count"]) == (3, 1)


def test_messages_can_come_twice(alpaca: Alpaca) -> None:
    alpaca.fault("stream_repeat", count=2)
    with listening(alpaca) as messages:
        alpaca.placed()
        alpaca.control(now=OPEN)
        eventually(lambda: len(messages) == 5)
        assert [m["event"] for m in messages] == ["accepted", "accepted", "new", "new", "fill"]


def test_messages_that_are_no_json_are_passed_over(alpaca: Alpaca) -> None:
    with talking(alpaca) as talk:
        talk.socket.send("what?")
        assert talk.say(AUTHENTICATE) == authorization("authorized", "authenticate")
