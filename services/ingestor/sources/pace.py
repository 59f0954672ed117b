"""How fast a vendor is asked: rate classes, counted here since the vendor does not tell. Real time, also in a demo."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class Allowance:
    """Requests left of one rate class, counted here: the vendor does not tell. Real time, sliding window.

    Counts the requests of this process alone; another one with the same key uses up the same allowance unseen.
    """

    def __init__(
        self,
        prefix: str,
        limit: int,
        window_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Count up to ``limit`` requests in ``window_s`` seconds to paths that begin with ``prefix``."""
        self.prefix = prefix
        self._limit = limit
        self._window_s = window_s
        self._monotonic = monotonic
        self._taken: deque[float] = deque(maxlen=limit)

    def __str__(self) -> str:
        """Return the class as people say it."""
        return f"{self._limit} requests to {self.prefix} in {self._window_s:g} s"

    def wait_s(self) -> float:
        """Return after how many seconds the next request is allowed, 0 for now."""
        self._forget()
        if len(self._taken) < self._limit:
            return 0.0
        return max(self._taken[0] + self._window_s - self._monotonic(), 0.0)

    def take(self) -> int:
        """Count one request; return how many are left, by our count."""
        self._forget()
        self._taken.append(self._monotonic())
        return self._limit - len(self._taken)

    def _forget(self) -> None:
        since = self._monotonic() - self._window_s
        while self._taken and self._taken[0] <= since:
            self._taken.popleft()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a vendor is asked: its rate classes, the first that fits a path counts, and how long is waited.

    ``wait_s_max`` is the longest wait before a request, ``retry_after_s_max`` after a 429; real seconds.
    """

    allowances: Sequence[Allowance]
    wait_s_max: float
    retry_after_s_max: float
