"""Talk between the supervisor and the commands: one JSON line each way over a socket in the data folder.

The socket is the owner's alone (mode 0600). It is reached through an open descriptor of the folder, since the path of
a socket may have only 107 bytes and a project's path may have more.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tradetrail.errors import TradetrailError, Unreachable, UsageError
from tradetrail.stack.home import Home

# Longest wait for the supervisor's answer: it answers at once, after checks of at most 3 s for a fresh status.
ANSWER_TIMEOUT_S = 10.0
_MESSAGE_MAX_BYTES = 4 * 1024 * 1024

Message = dict[str, Any]


@contextmanager
def _short_path(home: Home) -> Iterator[str]:
    folder = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{home.socket.name}"
    finally:
        os.close(folder)


def serve(home: Home, answer: Callable[[Message], Message]) -> None:
    """Answer requests in threads of their own, for as long as this process lives."""
    home.socket.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short_path(home) as path:
        old_mask = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(old_mask)
    listener.listen(16)
    threading.Thread(target=_accept, args=(listener, answer), daemon=True).start()


def _accept(listener: socket.socket, answer: Callable[[Message], Message]) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(connection, answer), daemon=True).start()


def _converse(connection: socket.socket, answer: Callable[[Message], Message]) -> None:
    with connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            reply = answer(_receive(connection))
        except TradetrailError as error:
            reply = {"error": str(error)}
        except (OSError, ValueError, KeyError, TypeError) as error:
            reply = {"error": f"the request was not understood: {error!r}"}
        try:
            connection.sendall(json.dumps(reply).encode() + b"\n")
        except OSError:
            return


def ask(home: Home, request: Message, *, timeout_s: float = ANSWER_TIMEOUT_S) -> Message:
    """Return the supervisor's answer. Raises Unreachable when none answers, UsageError when it refuses."""
    try:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
            _short_path(home) as path,
        ):
            connection.settimeout(timeout_s)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            reply = _receive(connection)
    except (OSError, ValueError) as error:
        raise Unreachable(_why_silent(home, error)) from error
    if "error" in reply:
        raise UsageError(str(reply["error"]))
    return reply


def _why_silent(home: Home, error: Exception) -> str:
    if home.is_locked():
        return (
            f"the supervisor (pid {home.holder() or 'unknown'}) of {home.root} does not answer ({error}); "
            "`tradetrail down` ends it with its parts"
        )
    return f"no local stack runs in {home.root}; start one with `tradetrail up`"


def _receive(connection: socket.socket) -> Message:
    received = bytearray()
    while not received.endswith(b"\n"):
        chunk = connection.recv(65536)
        if not chunk:
            raise ValueError("the connection ended within a message")
        received += chunk
        if len(received) > _MESSAGE_MAX_BYTES:
            raise ValueError("the message is too long")
    message: Message = json.loads(received)
    return message
