"""Serves the API on a thread of its own, so that it answers while the loop works."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

import structlog
import uvicorn
from fastapi import FastAPI

from tradetrail.errors import UsageError

# Open requests may finish within this when the service stops; the loop's own stop has 10 s in all.
_SHUTDOWN_TIMEOUT_S = 2
_JOIN_TIMEOUT_S = 4.0

log = structlog.get_logger(__name__)


class Server:
    """An HTTP server; binds at once so that a taken port fails the start."""

    def __init__(self, app: FastAPI, host: str, port: int, proxies: Sequence[str] = ()) -> None:
        """Bind ``host:port``; port 0 picks a free one. Raises UsageError when it is taken.

        ``proxies``: the addresses of those whose X-Forwarded-For and -Proto are believed.
        """
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise UsageError(
                f"can't listen on {host}:{port} ({error.strerror}); set TRADETRAIL_HTTP_PORT to a free port"
            ) from error
        self.port = int(self._socket.getsockname()[1])
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                # Unless told to, it would believe whoever asks from this machine.
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
            )
        )
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self, access: str) -> None:
        """Begin to answer; the log says for whom: ``access``."""
        self._thread.start()
        log.info("answering", port=self.port, access=access)

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.should_exit = True
        self._thread.join(_JOIN_TIMEOUT_S)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
