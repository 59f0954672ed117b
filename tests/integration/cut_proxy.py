"""A TCP proxy that breaks connections on request: at once, or in the middle of a stream."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from tests.free_port import free_port

_CHUNK = 65_536


class CutProxy:
    """Forwards connections from a port of its own to ``host:port`` until told to cut."""

    def __init__(self, host: str, port: int) -> None:
        """Listen at once."""
        self._target = (host, port)
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", free_port()))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._refusing = False
        self._bytes_left: int | None = None
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._refusing = True
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def refuse(self) -> None:
        """Reset every connection; new ones are refused by the system: not one byte of theirs leaves."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def mend(self) -> None:
        """Forward again."""
        self._refusing = False
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut_mid_stream(self, after_bytes: int) -> None:
        """Reset the connection that forwards byte number ``after_bytes`` from now on towards the server, once."""
        self._bytes_left = after_bytes

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and reset what is open."""
        self.refuse()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(self._target, timeout=30)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            for pair in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, to_server: bool) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(_CHUNK):
                if to_server and self._bytes_left is not None:
                    self._bytes_left -= len(content)
                    if self._bytes_left < 0:
                        self._bytes_left = None
                        sink.sendall(content[: len(content) // 2])
                        break
                sink.sendall(content)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()
