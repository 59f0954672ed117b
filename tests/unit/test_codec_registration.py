"""Registering a schema while another process does the same: a real HTTP server says what the registry says then."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tradetrail.errors import Fatal, Retryable
from tradetrail.events.generated import DecisionMade
from tradetrail.log.codec import Codec

SCHEMA_ID = 7


class Registry(ThreadingHTTPServer):
    """Answers 409 to so many settings of a compatibility, and to registrations if it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.conflicts = 0
        self.refuses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_PUT(self) -> None:
        if self.server.conflicts:
            self.server.conflicts -= 1
            # What Apicurio says when two set the rule of one artifact for the first time.
            self._answer(409, {"message": "A rule named 'COMPATIBILITY' already exists."})
        else:
            self._answer(200, {"compatibility": "FULL_TRANSITIVE"})

    def do_POST(self) -> None:
        if self.server.refuses:
            self._answer(409, {"error_code": 409, "message": "incompatible"})
        else:
            self._answer(200, {"id": SCHEMA_ID})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_two_that_register_at_the_same_moment_both_succeed(registry: Registry) -> None:
    registry.conflicts = 1
    assert Codec(registry.url).register(DecisionMade.TYPE) == SCHEMA_ID


def test_a_conflict_without_end_may_be_tried_again_later(registry: Registry) -> None:
    registry.conflicts = 1_000
    with pytest.raises(Retryable, match="another process"):
        Codec(registry.url).register(DecisionMade.TYPE)


def test_an_incompatible_schema_stays_refused(registry: Registry) -> None:
    registry.refuses = True
    with pytest.raises(Fatal, match="incompatible"):
        Codec(registry.url).register(DecisionMade.TYPE)
