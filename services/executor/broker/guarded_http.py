"""An HTTP session that knows whether a request ever left, keeps raw answers, and ends in time.

One request at a time: every thread has its own session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests

from tradetrail.exchange import Exchange
from tradetrail.http_deadline import DeadlineSession

__all__ = ["Exchange", "GuardedSession"]

# A connection that fails this fast was dead already; slower failures are the network's.
_QUICK_US = 1_000_000


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

    @property
    def last_told(self) -> Exchange:
        """Return the last exchange. Raises RuntimeError before the first."""
        if self.last is None:
            raise RuntimeError("nothing was asked yet")
        return self.last

    def ask(self, question: Callable[[], object], refusal: type[Exception]) -> Exchange:
        """Return what came of a client's call that may be made twice; ``refusal`` is what the client raises for one."""
        call = self._asked(question, refusal)
        if call.status_code is None and call.duration_us < _QUICK_US:
            # An idle connection that the server closed meanwhile: a question may simply be asked again.
            call = self._asked(question, refusal)
        return call

    def cut(self) -> None:
        """End what is under way and refuse all that follows; for other threads."""
        self._is_cut = True
        super().cut()

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """Send one request within the deadlines, noting what happens; errors pass through."""
        guard, self.guard = self.guard, None
        response: requests.Response | None = None
        failure: str | None = None
        options["timeout"] = (self._connect_timeout_s, self._total_s)
        began_ns = time.monotonic_ns()
        with self.within(self._total_s, guard) as wire:
            try:
                if self._is_cut:
                    raise requests.ConnectionError("this session was cut off")
                answered = super().request(method, url, *args, **options)
                if wire.is_cut:
                    # What was cut may look whole: headers that end early, a body without a length.
                    raise requests.Timeout("the total deadline passed while the answer came")
                response = answered
                return response
            except Exception as error:
                failure = f"{type(error).__name__}: {error}"
                if wire.is_cut or isinstance(error, requests.ReadTimeout):
                    failure = f"no answer within {self._total_s:g} s"
                raise
            finally:
                answer = response.headers.items() if response is not None else ()
                self.last = Exchange(
                    method=str(method).upper(),
                    endpoint=urlsplit(str(url)).path,
                    request=_told(options),
                    status_code=response.status_code if response is not None else None,
                    error=failure,
                    body=response.content if response is not None else None,
                    headers={name.lower(): value for name, value in answer},
                    duration_us=(time.monotonic_ns() - began_ns) // 1000,
                    was_sent=wire.was_written,
                )

    def _asked(self, question: Callable[[], object], refusal: type[Exception]) -> Exchange:
        try:
            question()
        except (refusal, requests.RequestException, ValueError, OSError):
            # What came of it is in the exchange.
            pass
        return self.last_told


def _told(options: dict[str, Any]) -> dict[str, Any]:
    parts = {
        "query": options.get("params"),
        "headers": options.get("headers"),
        "body": options.get("json"),
    }
    return {name: part for name, part in parts.items() if part}
