"""Ends an exchange that lasts too long, whatever it is busy with.

``requests`` limits the wait for the next byte only, and a vendor that trickles its headers outwaits any such limit. So
a timer shuts the connections of the session down.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any
from weakref import WeakSet

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Watch:
    """Held around one exchange of a session; ``is_over`` tells whether the time ran out."""

    def __init__(self, sockets: WeakSet[socket.socket], limit_s: float) -> None:
        """Shut ``sockets`` down after ``limit_s`` real seconds."""
        self._sockets = sockets
        self._timer = threading.Timer(limit_s, self._end)
        self._timer.daemon = True
        self.is_over = False

    def __enter__(self) -> Watch:
        """Begin to count."""
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop counting."""
        self._timer.cancel()

    def _end(self) -> None:
        self.is_over = True
        for each in list(self._sockets):
            with suppress(OSError):
                # The plain socket's own, also beneath TLS: that one's would wait for a reader.
                socket.socket.shutdown(each, socket.SHUT_RDWR)


def watched_adapter(sockets: WeakSet[socket.socket]) -> HTTPAdapter:
    """Return an adapter whose connections put their sockets into ``sockets``; it tries nothing twice."""

    class PlainConnection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class TlsConnection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

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
