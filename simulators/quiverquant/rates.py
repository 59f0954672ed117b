"""The account's allowances: four classes, each with its own; endpoints of one class share it.

Counted over a sliding window of real time, as Django REST framework does it: a simulated day passes in an instant, the
client's wait is real.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from fnmatch import fnmatchcase

from simulators.quiverquant.answers import Refusal
from tradetrail.errors import UsageError

# Source: the vendor's page on rate limits: requests, seconds.
CLASSES: dict[str, tuple[int, int]] = {
    "100/minute": (100, 60),
    "10/minute": (10, 60),
    "200/hour": (200, 3600),
    "5/hour": (5, 3600),
}
# Shell pattern and class, first match counts. Only the bulk endpoints' class is documented.
DEFAULT_CLASSES: tuple[tuple[str, str], ...] = (
    ("/beta/bulk/*", "5/hour"),
    ("/beta/live/insiders", "10/minute"),
    ("/beta/historical/*", "200/hour"),
    ("/beta/live/congress/politicians", "200/hour"),
    ("/beta/*", "100/minute"),
)


class RateLimits:
    """Counts the requests of one account."""

    def __init__(
        self,
        *,
        is_on: bool,
        classes: tuple[tuple[str, str], ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let everything through unless ``is_on``; ``classes`` come before the default ones.

        Raises UsageError for a class the vendor does not have.
        """
        for pattern, name in classes:
            if name not in CLASSES:
                raise UsageError(f"{pattern}={name}: the rate classes are {', '.join(CLASSES)}")
        self.is_on = is_on
        self.refused: Counter[str] = Counter()
        self._classes = (*classes, *DEFAULT_CLASSES)
        self._clock = clock
        self._taken: dict[str, deque[float]] = {name: deque() for name in CLASSES}

    def take(self, path: str) -> None:
        """Use up one request of the path's class. Raises Refusal (429 with Retry-After) when none is left."""
        if not self.is_on:
            return
        name = next(found for pattern, found in self._classes if fnmatchcase(path, pattern))
        limit, window_s = CLASSES[name]
        now_s, taken = self._clock(), self._taken[name]
        while taken and taken[0] <= now_s - window_s:
            taken.popleft()
        if len(taken) < limit:
            taken.append(now_s)
            return
        self.refused[name] += 1
        wait_s = max(math.ceil(taken[0] + window_s - now_s), 1)
        raise throttled(wait_s)

    def told(self) -> dict[str, object]:
        """Return whether limits apply, and what each class has counted."""
        return {
            "on": self.is_on,
            "classes": {
                name: {"taken": len(self._taken[name]), "refused": self.refused[name]}
                for name in CLASSES
            },
        }


def throttled(wait_s: int) -> Refusal:
    """Return the refusal of a request over the limit."""
    detail = f"Request was throttled. Expected available in {wait_s} second{'s' * (wait_s != 1)}."
    return Refusal(429, detail, {"Retry-After": str(wait_s)})
