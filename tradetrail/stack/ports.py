"""TCP ports of one local stack: free when chosen, remembered, and used again while they stay free.

Ports come from below the kernel's range for outgoing connections, so no client's connection takes one meanwhile. A
server binds its port seconds after it was chosen, and leaves it while it restarts: so that no other stack of this
machine chooses it in between, the process that chose holds the UDP port of the same number, until it ends.
"""

from __future__ import annotations

import random
import socket
import weakref
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


def _close_all(held: dict[str, socket.socket]) -> None:
    for holder in held.values():
        holder.close()
    held.clear()


class Ports:
    """The ports of one data folder, by name, kept in ``file``."""

    def __init__(self, file: Path) -> None:
        """Remember ports in ``file``."""
        self._file = file
        self._known: dict[str, int] = {name: int(port) for name, port in read_json(file).items()}
        self._held: dict[str, socket.socket] = {}
        weakref.finalize(self, _close_all, self._held)

    def claim(self, name: str) -> int:
        """Return the port of ``name``: the one it had, if free, else a new one. Raises TradetrailError."""
        if name in self._held:
            return self._known[name]
        remembered = self._known.get(name)
        if remembered is None or not self._take(name, remembered):
            self._known[name] = self._draw(name)
            write_json(self._file, dict(self._known))
        return self._known[name]

    def lost(self, names: tuple[str, ...]) -> bool:
        """Forget those of ``names`` that something else listens on now; tell whether there were any."""
        taken = [name for name in names if name in self._known and not is_free(self._known[name])]
        for name in taken:
            del self._known[name]
            self._release(name)
        return bool(taken)

    def close(self) -> None:
        """Let other stacks choose these ports; they stay remembered."""
        _close_all(self._held)

    def _release(self, name: str) -> None:
        holder = self._held.pop(name, None)
        if holder is not None:
            holder.close()

    def _take(self, name: str, port: int) -> bool:
        """Hold ``port`` against other stacks; False if one of them has it or a server listens on it."""
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind((HOST, port))
        except OSError:
            holder.close()
            return False
        # Looked at only now that no other stack can choose it.
        if not is_free(port):
            holder.close()
            return False
        self._held[name] = holder
        return True

    def _draw(self, name: str) -> int:
        for _ in range(_DRAWS_MAX):
            port = random.randint(_FIRST, _LAST)
            if port not in self._known.values() and self._take(name, port):
                return port
        raise TradetrailError(
            f"no free port found between {_FIRST} and {_LAST} on {HOST}; close what uses them"
        )
