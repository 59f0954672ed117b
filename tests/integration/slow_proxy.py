"""A TCP proxy in front of a vendor that holds back what the vendor says, from a given byte on."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

_CHUNK = 65_536
# A byte comes well within any limit of the wait for one, for longer than any limit of a whole answer.
_TRICKLE_S = 0.1


class SlowProxy:
    """Forwards to ``host:port``; answers to requests below ``/beta/`` stop after ``after_bytes``, or go on in drops."""

    def __init__(self, host: str, port: int, after_bytes: int, *, trickle: bool) -> None:
        """Listen at once."""
        self._target = (host, port)
        self._after_bytes = after_bytes
        self._is_trickling = trickle
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closed = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and let go of what is held back."""
        self._closed.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target, timeout=30) as server:
            with contextlib.suppress(OSError):
                while asked := client.recv(_CHUNK):
                    server.sendall(asked)
                    self._answer(server, client, is_held=asked.startswith(b"GET /beta/"))

    def _answer(self, server: socket.socket, client: socket.socket, *, is_held: bool) -> None:
        answer = server.recv(_CHUNK)
        if not is_held:
            client.sendall(answer)
            return
        client.sendall(answer[: self._after_bytes])
        for byte in answer[self._after_bytes :]:
            if self._closed.wait(_TRICKLE_S if self._is_trickling else None):
                return
            client.sendall(bytes([byte]))
