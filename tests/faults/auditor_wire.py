"""The network between one auditor and its database: cut, silent, slow, or cut at a given byte of what is sent."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable

_CHUNK = 65_536
# How soon a silent wire notices that it may speak again.
_LOOK_EVERY_S = 0.05


class Wire:
    """Forwards connections from a port of its own to a server on this machine."""

    def __init__(self, port: int) -> None:
        """Listen at once."""
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self._is_closed = False
        self._may_flow = threading.Event()
        self._may_flow.set()
        self._delay_s = 0.0
        self._left = 0
        self._strike: Callable[[], None] | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset every connection, and each new one."""
        self._is_cut = True
        self.drop()

    def drop(self) -> None:
        """Reset every connection; new ones are forwarded."""
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def mute(self) -> None:
        """Keep connections open, accept new ones, and let nothing through, as a half-open network does."""
        self._may_flow.clear()

    def slow(self, delay_s: float) -> None:
        """Hold back each piece of what is sent or answered for so long."""
        self._delay_s = delay_s

    def mend(self) -> None:
        """Forward again, and what was held back first."""
        self._is_cut, self._delay_s = False, 0.0
        self._may_flow.set()

    def at_byte(self, number: int, strike: Callable[[], None]) -> None:
        """Call ``strike`` once, when byte ``number`` from now on is on its way to the server; half of it arrives."""
        with self._lock:
            self._left, self._strike = number, strike

    def is_spent(self) -> bool:
        """Tell whether the strike was called."""
        with self._lock:
            return self._strike is None

    def close(self) -> None:
        """Stop listening and reset what is open."""
        self._is_closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.mend()
        self.cut()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        self._may_flow.wait()
        try:
            server = socket.create_connection(self._target, timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        with self._lock:
            self._open |= {client, server}
        back = threading.Thread(target=self._forward, args=(server, client, False), daemon=True)
        back.start()
        self._forward(client, server, True)
        back.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _forward(self, source: socket.socket, sink: socket.socket, to_server: bool) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                # Nothing is taken while silent: a reset then reaches the other side late, as in a dead network.
                if not self._may_flow.wait(_LOOK_EVERY_S):
                    continue
                if not select.select([source], [], [], 1.0)[0]:
                    continue
                content = source.recv(_CHUNK)
                if not content:
                    break
                if self._delay_s:
                    time.sleep(self._delay_s)
                if to_server and (strike := self._due(len(content))):
                    sink.sendall(content[: len(content) // 2])
                    strike()
                    content = content[len(content) // 2 :]
                    self._may_flow.wait()
                sink.sendall(content)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _due(self, count: int) -> Callable[[], None] | None:
        with self._lock:
            if self._strike is None:
                return None
            self._left -= count
            if self._left > 0:
                return None
            strike, self._strike = self._strike, None
            return strike
