"""The account's rate limit: so many requests in each minute of real time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

WINDOW_S = 60
# What an unlimited account says it has left: large, but a number, as the headers always are.
UNLIMITED = 1_000_000_000


class RateLimit:
    """Counts requests in fixed windows. ``limit`` 0 lets everything through."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.time) -> None:
        """Allow ``limit`` requests a minute of ``clock`` (seconds since 1970)."""
        self.limit = limit
        self._clock = clock
        self._window = -1
        self._used = 0

    def take(self) -> bool:
        """Use up one request; tell whether it was within the limit."""
        window = math.floor(self._clock() / WINDOW_S)
        if window != self._window:
            self._window, self._used = window, 0
        if self.limit and self._used >= self.limit:
            return False
        self._used += 1
        return True

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return what every answer tells about the limit; the reset is in unix seconds."""
        limit = self.limit or UNLIMITED
        reset = (math.floor(self._clock() / WINDOW_S) + 1) * WINDOW_S
        return [
            (b"x-ratelimit-limit", b"%d" % limit),
            (b"x-ratelimit-remaining", b"%d" % max(limit - self._used, 0)),
            (b"x-ratelimit-reset", b"%d" % reset),
        ]
