"""An HTTP session that knows whether a request ever left, keeps raw answers, and ends in time.

One request at a time: every thread has its own session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from tradetrail.http_deadline import DeadlineSession

# A connection that fails this fast was dead already; slower failures are the network's.
QUICK_US = 1_000_000


@dataclass(slots=True)
class Exchange:
    """One request and what came of it; ``status_code`` None when no whole answer came."""

    method: str
    path: str
    request: dict[str, Any]
    was_sent: bool = False
    status_code: int | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    duration_us: int = 0


class GuardedSession(DeadlineSession):
    """Keeps the last exchange in ``last``; ``guard`` is called just before the first byte of the next request."""

    def __init__(self, connect_timeout_s: float, total_s: float) -> None:
        """Prepare a session without proxies or credentials from the environment."""
        super().__init__()
        self.trust_env = False
        self._connect_timeout_s = connect_timeout_s
        self._total_s = total_s
        self.guard: Callable[[], None] | None = None
        self.last: Exchange | None = None
        self._is_cut = False

    def cut(self) -> None:
        """End what is under way and refuse all that follows; for other threads."""
        self._is_cut = True
        super().cut()

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """Send one request within the deadlines, noting what happens; errors pass through."""
        guard, self.guard = self.guard, None
        exchange = self.last = Exchange(
            method=str(method).upper(),
            path=urlsplit(str(url)).path,
            request=_told(options),
        )
        options["timeout"] = (self._connect_timeout_s, self._total_s)
        began_ns = time.monotonic_ns()
        with self.within(self._total_s, guard) as wire:
            try:
                if self._is_cut:
                    raise requests.ConnectionError("this session was cut off")
                response = super().request(method, url, *args, **options)
                if wire.is_cut:
                    # What was cut may look whole: headers that end early, a body without a length.
                    raise requests.Timeout("the total deadline passed while the answer came")
                exchange.body = response.content
                exchange.status_code = response.status_code
                exchange.headers = {k.lower(): v for k, v in response.headers.items()}
                return response
            except Exception as error:
                exchange.error = f"{type(error).__name__}: {error}"
                if wire.is_cut:
                    exchange.error = f"no answer within {self._total_s:g} s"
                raise
            finally:
                exchange.was_sent = wire.was_written
                exchange.duration_us = (time.monotonic_ns() - began_ns) // 1000


def _told(options: dict[str, Any]) -> dict[str, Any]:
    parts = {
        "query": options.get("params"),
        "headers": options.get("headers"),
        "body": options.get("json"),
    }
    return {name: part for name, part in parts.items() if part}
