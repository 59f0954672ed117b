"""An HTTP session that knows whether a request ever left, keeps raw answers, and ends in time.

One request at a time: every thread has its own session. ``requests`` has no total deadline, so a watchdog cuts the
socket; it can't tell either whether bytes went out, so the connection itself notes the first write.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# How exactly the total deadline is kept. One thread a session: a timer thread a request costs a millisecond.
WATCH_EVERY_S = 0.05


@dataclass(slots=True)
class Exchange:
    """One request and what came of it; ``status_code`` None when no whole answer came."""

    method: str
    path: str
    request: dict[str, Any]
    was_sent: bool = False
    status_code: int | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    duration_us: int = 0


@dataclass(slots=True)
class _Wire:
    """What the running request and its connection tell each other."""

    before_first_write: Callable[[], None] | None = None
    cut_at: float | None = None
    was_written: bool = False
    sock: socket.socket | None = None
    is_cut: bool = False

    def about_to_write(self, sock: socket.socket | None) -> None:
        self.sock = sock
        if self.is_cut:
            raise requests.Timeout("the total deadline passed before anything was sent")
        if not self.was_written:
            if self.before_first_write is not None:
                self.before_first_write()
            self.was_written = True

    def cut(self) -> None:
        self.is_cut = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class GuardedSession(requests.Session):
    """Keeps the last exchange in ``last``; ``guard`` is called just before the first byte of the next request."""

    def __init__(self, connect_timeout_s: float, total_s: float) -> None:
        """Prepare a session without proxies or credentials from the environment."""
        super().__init__()
        self.trust_env = False
        self._connect_timeout_s = connect_timeout_s
        self._total_s = total_s
        self._wire = _Wire()
        self._closed = threading.Event()
        self._watchdog: threading.Thread | None = None
        self.guard: Callable[[], None] | None = None
        self.last: Exchange | None = None
        self.mount("http://", _adapter(lambda: self._wire))
        self.mount("https://", _adapter(lambda: self._wire))

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """Send one request within the deadlines, noting what happens; errors pass through."""
        guard, self.guard = self.guard, None
        wire = self._wire = _Wire(guard, time.monotonic() + self._total_s)
        self._watch()
        exchange = self.last = Exchange(
            method=str(method).upper(),
            path=urlsplit(str(url)).path,
            request=_told(options),
        )
        options["timeout"] = (self._connect_timeout_s, self._total_s)
        began_ns = time.monotonic_ns()
        try:
            response = super().request(method, url, *args, **options)
            if wire.is_cut:
                # What was cut may look whole: headers that end early, a body without a length.
                raise requests.Timeout("the total deadline passed while the answer came")
            exchange.body = response.content
            exchange.status_code = response.status_code
            exchange.headers = {k.lower(): v for k, v in response.headers.items()}
            return response
        except Exception as error:
            exchange.error = f"{type(error).__name__}: {error}"
            if wire.is_cut:
                exchange.error = f"no answer within {self._total_s:g} s"
            raise
        finally:
            wire.cut_at = None
            exchange.was_sent = wire.was_written
            exchange.duration_us = (time.monotonic_ns() - began_ns) // 1000

    def close(self) -> None:
        """Close the connections and end the watchdog."""
        self._closed.set()
        super().close()

    def _watch(self) -> None:
        if self._watchdog is None:
            self._watchdog = threading.Thread(target=self._guard_time, daemon=True, name="deadline")
            self._watchdog.start()

    def _guard_time(self) -> None:
        while not self._closed.wait(WATCH_EVERY_S):
            wire = self._wire
            cut_at = wire.cut_at
            if cut_at is not None and time.monotonic() >= cut_at:
                wire.cut()


def _told(options: dict[str, Any]) -> dict[str, Any]:
    parts = {
        "query": options.get("params"),
        "headers": options.get("headers"),
        "body": options.get("json"),
    }
    return {name: part for name, part in parts.items() if part}


def _adapter(wire: Callable[[], _Wire]) -> HTTPAdapter:
    class PlainConnection(HTTPConnection):
        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            wire().about_to_write(self.sock)
            super().send(data)

    class TlsConnection(HTTPSConnection):
        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            wire().about_to_write(self.sock)
            super().send(data)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, **options)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}

    return Adapter(max_retries=0)
