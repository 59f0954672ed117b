"""A session whose exchanges end in time, against servers on a socket of their own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tradetrail.http_deadline import DeadlineSession
from tradetrail.recorded_http import RecordingSession

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# Below any wait for the next byte, and not over before the server is told to stop.
DRIP_S = 0.05
Serve = Callable[[socket.socket, threading.Event], None]


def whole(client: socket.socket, _closed: threading.Event) -> None:
    client.sendall(HEAD + b"Content-Length: 2\r\nX-Request-ID: 7\r\n\r\n{}")


def dripping_headers(client: socket.socket, closed: threading.Event) -> None:
    while not closed.wait(DRIP_S):
        client.sendall(b"H")


def dripping_body(client: socket.socket, closed: threading.Event) -> None:
    # Without a length: the end of the connection is the end of the body, so what was cut looks whole.
    client.sendall(HEAD + b"\r\n")
    while not closed.wait(DRIP_S):
        client.sendall(b" ")


@pytest.fixture
def server() -> Iterator[Callable[[Serve], str]]:
    closed, threads, listeners = threading.Event(), list[threading.Thread](), list[socket.socket]()

    def start(serve: Serve) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client, contextlib.suppress(OSError):
                    while client.recv(65_536):
                        serve(client, closed)

        threads.append(threading.Thread(target=accept, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/x"

    yield start
    closed.set()
    for each in listeners:
        each.shutdown(socket.SHUT_RDWR)
        each.close()
    for thread in threads:
        thread.join(60)


@pytest.mark.parametrize("serve", [dripping_headers, dripping_body])
def test_a_server_that_drips_is_cut_off_and_recorded_as_no_answer(
    server: Callable[[Serve], str], serve: Serve
) -> None:
    with RecordingSession() as session:
        session.total_s = 0.3
        with pytest.raises(requests.Timeout, match="no whole answer within"):
            session.get(server(serve))
        (exchange,) = session.drain()
    assert (exchange.status_code, exchange.body) == (None, None)
    assert "no whole answer within 0.3 s" in (exchange.error or "")
    # Each byte came within the wait for one, and none stopped coming: only the total ended it.
    assert exchange.duration_us >= 300_000


def test_an_exchange_in_time_is_whole_and_its_connection_is_kept(
    server: Callable[[Serve], str],
) -> None:
    url = server(whole)
    with RecordingSession() as session:
        for _ in range(2):
            assert session.get(url).json() == {}
        first, second = session.drain()
        assert first.headers["x-request-id"] == second.headers["x-request-id"] == "7"
        adapter: Any = session.get_adapter(url)
        (pool,) = adapter.poolmanager.pools._container.values()
        assert (pool.num_connections, pool.num_requests) == (1, 2)


def test_another_thread_ends_what_is_under_way(server: Callable[[Serve], str]) -> None:
    url = server(dripping_body)
    with RecordingSession() as session:
        ended: list[BaseException] = []

        def ask() -> None:
            try:
                session.get(url)
            except requests.RequestException as error:
                ended.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        deadline = time.monotonic() + 60
        while asking.is_alive() and time.monotonic() < deadline:
            session.cut()
            asking.join(0.02)
    assert isinstance(ended[0], requests.Timeout)


def test_nothing_leaves_when_the_guard_refuses(server: Callable[[Serve], str]) -> None:
    def refuse() -> None:
        raise LookupError("not now")

    with DeadlineSession() as session, session.within(60, refuse) as wire:
        with pytest.raises(LookupError):
            session.get(server(whole))
        assert not wire.was_written
    with DeadlineSession() as session, session.within(60) as wire:
        assert session.get(server(whole)).ok
        assert wire.was_written


def test_what_is_over_before_the_first_byte_is_not_sent(server: Callable[[Serve], str]) -> None:
    with DeadlineSession() as session, session.within(0) as wire:
        wire.cut()
        with pytest.raises(requests.RequestException):
            session.get(server(whole))
        assert not wire.was_written
