"""An HTTP session that keeps what it sent and got, and never waits without a limit.

Vendors' client libraries hide status, headers and raw bytes, and set no timeout; given this session they can't.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlsplit

import requests

from tradetrail.exchange import Exchange
from tradetrail.http_deadline import DeadlineSession

# Connect, and between two bytes of the answer. Reads of one symbol take milliseconds; seconds mean trouble.
READ_TIMEOUT_S = (3.0, 10.0)
# The whole exchange: the largest answer takes a second, and a server that drips bytes is as good as away.
TOTAL_S = 15.0


class RecordingSession(DeadlineSession):
    """A session that adds each exchange to ``exchanges``, until ``drain`` takes them.

    ``total_s`` limits the next exchanges, real seconds; it may be changed between two.
    """

    def __init__(self, timeout_s: tuple[float, float] = READ_TIMEOUT_S) -> None:
        """Use ``timeout_s`` (connect, read) for every request that sets none."""
        super().__init__()
        self._timeout_s = timeout_s
        self.total_s = TOTAL_S
        self.exchanges: list[Exchange] = []

    def drain(self) -> list[Exchange]:
        """Return what was exchanged since the last call, oldest first, and forget it."""
        taken, self.exchanges = self.exchanges, []
        return taken

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Any:
        """Send a request and keep it with its answer or its error."""
        kwargs.setdefault("timeout", self._timeout_s)
        started = time.monotonic()
        response, problem = None, None
        with self.within(self.total_s) as wire:
            try:
                response = super().request(method, url, *args, **kwargs)
                if wire.is_cut:
                    # What was cut may look whole: headers that end early, a body without a length.
                    response = None
                    raise requests.Timeout("the connection was cut while the answer came")
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
                if wire.is_cut:
                    problem = f"no whole answer within {self.total_s:.3g} s"
                    raise requests.Timeout(problem) from error
                raise
            finally:
                self.exchanges.append(
                    Exchange(
                        method=str(method).upper(),
                        endpoint=urlsplit(str(url)).path,
                        request=_asked(kwargs),
                        status_code=None if response is None else response.status_code,
                        error=problem,
                        body=None if response is None else response.content,
                        headers={}
                        if response is None
                        else {name.lower(): value for name, value in response.headers.items()},
                        duration_us=int((time.monotonic() - started) * 1_000_000),
                    )
                )
        return response


def _asked(kwargs: dict[str, Any]) -> dict[str, Any]:
    # Headers carry the keys and nothing else of ours: they are left out rather than starred.
    names = {"params": "query", "json": "body"}
    asked = {ours: kwargs[theirs] for theirs, ours in names.items() if kwargs.get(theirs)}
    return dict(json.loads(json.dumps(asked, default=str)))
