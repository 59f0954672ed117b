"""Ends an HTTP exchange that lasts too long, whatever it is busy with, and knows whether its request ever left.

``requests`` limits the wait for the next byte only: a server that trickles its answer outwaits any such limit. So one
thread of the process cuts the connection of each exchange whose time is over. A session has one exchange at a time.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# How exactly a deadline is kept. One thread for all: a timer thread for each exchange costs it a millisecond.
WATCH_EVERY_S = 0.05
# With nothing under way for so many rounds the thread sleeps; sooner, and each of a row of requests would wake it.
_IDLE_ROUNDS = 40


@dataclass(slots=True, eq=False)
class Wire:
    """What a running exchange and its connection tell each other."""

    cut_at: float | None = None
    before_first_write: Callable[[], None] | None = None
    was_written: bool = False
    is_cut: bool = False
    _sock: socket.socket | None = None

    def about_to_write(self, sock: socket.socket | None) -> None:
        """Take note that bytes are about to leave. Raises requests.Timeout (an OSError) once the time is over."""
        self._sock = sock
        if self.is_cut:
            raise requests.Timeout("the total deadline passed before anything was sent")
        if not self.was_written:
            if self.before_first_write is not None:
                self.before_first_write()
            self.was_written = True

    def cut(self) -> None:
        """End the exchange now: both ends see the connection closed."""
        self.is_cut = True
        if self._sock is not None:
            with suppress(OSError):
                # The plain socket's own, also beneath TLS: that one's would wait for a reader.
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


class DeadlineSession(requests.Session):
    """A session whose exchanges end in time; none is tried twice."""

    def __init__(self) -> None:
        """Prepare the session; no connection is made yet."""
        super().__init__()
        self._wire = Wire()
        self.mount("http://", _adapter(lambda: self._wire))
        self.mount("https://", _adapter(lambda: self._wire))

    @contextmanager
    def within(
        self, total_s: float, before_first_write: Callable[[], None] | None = None
    ) -> Iterator[Wire]:
        """Give what is exchanged in the block ``total_s`` real seconds in all, connecting and reading included.

        ``is_cut`` of what is returned says that they were not enough: then what came may look whole and is not.
        ``before_first_write`` is called just before the first byte leaves, and stops it by raising.
        """
        wire = self._wire = Wire(time.monotonic() + total_s, before_first_write)
        _WATCHDOG.watch(wire)
        try:
            yield wire
        finally:
            wire.cut_at = None
            _WATCHDOG.forget(wire)

    def cut(self) -> None:
        """End what is under way; for other threads."""
        self._wire.cut()


class _Watchdog:
    """One thread that cuts what lasts too long. Starts with the first exchange and ends with the process."""

    def __init__(self) -> None:
        self._wires: set[Wire] = set()
        self._has_some = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, wire: Wire) -> None:
        self._wires.add(wire)
        if not self._has_some.is_set():
            self._has_some.set()
        if self._thread is None:
            self._start()

    def forget(self, wire: Wire) -> None:
        self._wires.discard(wire)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="deadline")
                self._thread.start()

    def _run(self) -> None:
        idle = 0
        while True:
            time.sleep(WATCH_EVERY_S)
            now = time.monotonic()
            under_way = list(self._wires)
            for wire in under_way:
                if wire.cut_at is not None and now >= wire.cut_at:
                    wire.cut()
            idle = 0 if under_way else idle + 1
            if idle > _IDLE_ROUNDS:
                self._has_some.clear()
                # One that began between the look and the clearing is still among them.
                if not self._wires:
                    self._has_some.wait()
                idle = 0


_WATCHDOG = _Watchdog()


def _adapter(wire: Callable[[], Wire]) -> HTTPAdapter:
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

    pools = {"http": PlainPool, "https": TlsPool}

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, **options)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
            manager = super().proxy_manager_for(*args, **options)
            manager.pool_classes_by_scheme = pools
            return manager

    return Adapter(max_retries=0)
