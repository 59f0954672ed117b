"""TCP ports of one local stack: free when chosen, remembered, and used again while they stay free.

Ports come from below the kernel's range for outgoing connections, so no client's connection takes one meanwhile.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

from tradetrail.errors import TradetrailError
from tradetrail.stack.home import read_json, write_json

HOST = "127.0.0.1"
_FIRST, _LAST = 20_000, 31_999
# With 12,000 ports to draw from, this many draws fail only when the machine has practically none left.
_DRAWS_MAX = 200


def is_free(port: int) -> bool:
    """Tell whether a server could listen on ``port`` of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Ports:
    """The ports of one data folder, by name, kept in ``file``."""

    def __init__(self, file: Path) -> None:
        """Remember ports in ``file``."""
        self._file = file
        self._known: dict[str, int] = {name: int(port) for name, port in read_json(file).items()}
        self._given: set[str] = set()

    def claim(self, name: str) -> int:
        """Return the port of ``name``: the one it had, if free, else a new one. Raises TradetrailError."""
        port = self._known.get(name)
        if name in self._given and port is not None:
            return port
        if port is None or not is_free(port):
            port = self._draw()
            self._known[name] = port
            write_json(self._file, dict(self._known))
        self._given.add(name)
        return port

    def lost(self, names: tuple[str, ...]) -> bool:
        """Forget those of ``names`` that something else listens on now; tell whether there were any."""
        taken = [name for name in names if name in self._known and not is_free(self._known[name])]
        for name in taken:
            del self._known[name]
            self._given.discard(name)
        return bool(taken)

    def _draw(self) -> int:
        for _ in range(_DRAWS_MAX):
            port = random.randint(_FIRST, _LAST)
            if port not in self._known.values() and is_free(port):
                return port
        raise TradetrailError(
            f"no free port found between {_FIRST} and {_LAST} on {HOST}; close what uses them"
        )
