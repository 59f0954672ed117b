"""A registry that does not know some schemas yet: passes everything on to the real one but questions about those."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests

_TIMEOUT_S = 30.0
_NOT_FOUND = {"error_code": 40403, "message": "Schema not found"}


@contextmanager
def partial_registry(url: str, unknown: Set[int]) -> Iterator[str]:
    """Yield the address of a registry that is the one at ``url`` without the schema ids ``unknown``."""
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = urlsplit(self.path).path.rstrip("/")
            if any(asked.endswith(f"/schemas/ids/{each}") for each in unknown):
                self._send(404, json.dumps(_NOT_FOUND).encode(), "application/json")
                return
            headers = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
            told = requests.request(
                self.command, base + self.path, data=body, headers=headers, timeout=_TIMEOUT_S
            )
            self._send(told.status_code, told.content, told.headers.get("Content-Type", ""))

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def _send(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="partial registry", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{parts.path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
