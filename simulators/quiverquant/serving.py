"""Run a simulator's application on a socket that is ours before the server starts.

So a port in use is a usage error with its number in it, and port 0 picks a free one that is known at once.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tradetrail.errors import Fatal, UsageError

# Requests still open at SIGTERM get this long: an endpoint takes milliseconds, only a stall is longer.
GRACE_S = 2
# uvicorn is up in some 50 ms; far more means that something holds it.
START_TIMEOUT_S = 20.0
_BACKLOG = 256


def open_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises UsageError when the address is taken or none of ours."""
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"can't listen on {host}:{port} ({error}); stop what uses the port, or choose another with --port"
        ) from error


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    _server(app).run(sockets=[listener])


@contextmanager
def running(app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in a thread of this process while the block runs; yield the base URL."""
    listener = open_socket(host, port)
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline_s:
            raise Fatal(f"the simulator did not start within {START_TIMEOUT_S} s")
        time.sleep(0.005)
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(GRACE_S + START_TIMEOUT_S)
        listener.close()


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
        # A client may keep its connection through a whole simulated day of the other services' work.
        timeout_keep_alive=300,
    )
    return uvicorn.Server(config)
