"""The broker edge against a real socket: what was sent, what was not, and nothing without a ticket."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from services.executor.broker.outcomes import (
    Accepted,
    Away,
    Missing,
    NotSent,
    Outcome,
    Refused,
    Told,
    Unclear,
)
from services.executor.broker.ticket import _SEAL, LiveTicket, TicketRefused
from services.executor.broker.trading_api import Broker
from services.executor.settings import ExecutorSettings
from tradetrail.alpaca_settings import AlpacaSettings

REQUEST = json.dumps({"symbol": "ACME", "qty": "1", "client_order_id": "c-1"})
ORDER = {"id": "b-1", "client_order_id": "c-1", "status": "accepted", "filled_qty": "0"}


def _ticket(valid_s: float = 60.0) -> LiveTicket:
    return LiveTicket(_SEAL, "x", time.monotonic() + valid_s)


def _answer(status: int, body: str, *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {size}\r\nX-Request-ID: r-1\r\n\r\n"
    return (head + body).encode()


@contextmanager
def _server(handle: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve connections one after the other; yield the address and what arrived."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    arrived: list[bytes] = []
    done = threading.Event()

    def run() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(30)
                arrived.append(_request(connection))
                handle(connection)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", arrived
    finally:
        done.set()
        thread.join(60)
        listener.close()


def _request(connection: socket.socket) -> bytes:
    """Read one request with its body."""
    said = b""
    while b"\r\n\r\n" not in said or not (
        said.startswith((b"GET", b"DELETE")) or said.endswith(REQUEST.encode())
    ):
        more = connection.recv(65_536)
        if not more:
            break
        said += more
    return said


def _broker(url: str, **settings: float) -> Broker:
    alpaca = AlpacaSettings(url=url, key_id=SecretStr("canary-key"), secret_key=SecretStr("s"))
    return Broker(alpaca, ExecutorSettings(**settings), paper=True)  # type: ignore[arg-type]


def _submit(answer: bytes) -> Outcome:
    with _server(lambda connection: connection.sendall(answer)) as (url, _):
        broker = _broker(url)
        outcome = broker.submit(_ticket(), REQUEST)
        broker.close()
        return outcome


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, json.dumps(ORDER), Accepted),
        (200, "<html>", Unclear),
        (200, json.dumps(ORDER | {"client_order_id": "c-2"}), Unclear),
        (200, '{"id":"b-1"}', Unclear),
        (204, "", Unclear),
        (302, "", Unclear),
        (401, '{"message":"unauthorized."}', Refused),
        (403, '{"code":40310000,"message":"insufficient buying power"}', Refused),
        (403, "<html>denied</html>", Unclear),
        (422, '{"code":42210000,"message":"asset \\"X\\" is not tradable"}', Refused),
        (422, '{"code":40010001,"message":"client_order_id must be unique"}', Unclear),
        (429, "slow down", Refused),
        (500, '{"message":"oops"}', Unclear),
        (504, "<html>", Unclear),
    ],
)
def test_what_an_answer_means(status: int, body: str, kind: type) -> None:
    outcome = _submit(_answer(status, body))
    assert isinstance(outcome, kind)
    assert outcome.call.was_sent
    assert outcome.call.status_code == status
    assert outcome.call.body == body.encode()
    assert outcome.call.headers["x-request-id"] == "r-1"


def test_half_an_answer_and_none_are_unclear() -> None:
    assert isinstance(_submit(_answer(200, '{"id"', length=500)), Unclear)
    assert isinstance(_submit(b""), Unclear)


def test_the_exact_request_is_sent_once_even_on_504() -> None:
    with _server(lambda c: c.sendall(_answer(504, "late"))) as (url, arrived):
        broker = _broker(url)
        broker.submit(_ticket(), REQUEST)
        broker.close()
    assert len(arrived) == 1
    assert arrived[0].startswith(b"POST /v2/orders HTTP/1.1\r\n")
    assert arrived[0].endswith(REQUEST.encode())


def test_a_refused_connection_is_provably_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outcome = _broker(f"http://127.0.0.1:{port}").submit(_ticket(), REQUEST)
    assert isinstance(outcome, NotSent)


def test_a_dribbling_answer_ends_at_the_total_deadline() -> None:
    def dribble(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            # It never ends by itself.
            while True:
                connection.sendall(b"X: y\r\n")
                time.sleep(0.05)
        except OSError:
            pass

    with _server(dribble) as (url, _):
        broker = _broker(url, request_total_s=0.3)
        outcome = broker.submit(_ticket(), REQUEST)
        broker.close()
    assert isinstance(outcome, Unclear)
    assert "no answer within 0.3 s" in outcome.reason


def test_no_order_without_a_ticket_of_the_live_loop() -> None:
    with _server(lambda c: c.sendall(_answer(200, json.dumps(ORDER)))) as (url, arrived):
        broker = _broker(url)
        with pytest.raises(TicketRefused):
            broker.submit(None, REQUEST)  # type: ignore[arg-type]
        with pytest.raises(TicketRefused):
            LiveTicket(object(), "x", time.monotonic() + 5)
        stale, used = _ticket(valid_s=0), _ticket()
        used.use()
        for ticket in (stale, used):
            assert isinstance(broker.submit(ticket, REQUEST), NotSent)
        broker.close()
    # A ticket is looked at just before the first byte: connections may open, but nothing is said on them.
    assert all(said == b"" for said in arrived)


def test_questions_tell_missing_from_away() -> None:
    missing = _answer(404, '{"code":40410000,"message":"order not found for c-1"}')
    for answer, kind in (
        (missing, Missing),
        (_answer(404, "<html>"), Away),
        (_answer(502, "bad gateway"), Away),
        (_answer(200, "<html>"), Away),
    ):
        with _server(lambda c, answer=answer: c.sendall(answer)) as (url, _):  # type: ignore[misc]
            broker = _broker(url)
            assert isinstance(broker.find("c-1"), kind)
            broker.close()


def test_a_replacement_is_sent_in_place_of_an_open_order() -> None:
    with _server(lambda c: c.sendall(_answer(200, json.dumps(ORDER)))) as (url, arrived):
        outcome = _broker(url).submit(_ticket(), REQUEST, replaces="b/0")
    assert isinstance(outcome, Accepted)
    assert arrived[0].startswith(b"PATCH /v2/orders/b%2F0 ")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (204, "", Told),
        (422, '{"message": "order is already in \\"filled\\" state"}', Refused),
        (404, '{"message": "order not found for b-1"}', Missing),
        (404, "<html>", Away),
        (429, '{"message": "too many requests"}', Away),
        (503, '{"message": "away"}', Away),
    ],
    ids=range(6),
)
def test_what_a_cancellation_can_be_answered(status: int, body: str, kind: type) -> None:
    with _server(lambda c: c.sendall(_answer(status, body))) as (url, arrived):
        assert isinstance(_broker(url).cancel("b-1"), kind)
    assert arrived[0].startswith(b"DELETE /v2/orders/b-1 ")
