"""When the broker may be asked again: after it was away, and near the account's rate limit. Real time."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import structlog

from services.executor import metrics
from services.executor.broker.guarded_http import Exchange

# While the broker is away: quick at first, then gently; orders wait in order meanwhile.
_BACKOFF_S_MIN, _BACKOFF_S_MAX = 0.25, 5.0
# Without a reset time from the broker, a minute's limit is over after this at the latest.
_LIMIT_WINDOW_S = 60.0
_TOO_MANY = 429
# With fewer requests left than this above the reserve, polls let waiting orders go first: a tenth of Alpaca's default
# limit of 200 a minute. Source: Alpaca's documentation of rate limits.
_SCARCE_BELOW = 20

log = structlog.get_logger(__name__)


class Pace:
    """Watches the answers of all lanes; ``is_open`` tells whether orders may go on. All calls from one thread."""

    def __init__(self, rate_limit_reserve: int) -> None:
        """Leave ``rate_limit_reserve`` requests of each window to follow-up."""
        self._reserve = rate_limit_reserve
        self._away_until = 0.0
        self._limited_until = 0.0
        self._refused_until = 0.0
        self._window_until = 0.0
        self._remaining: int | None = None
        self._failures = 0
        self._away: str | None = None
        self._limited: str | None = None

    @property
    def reason(self) -> str | None:
        """Return why orders wait; None while they need not."""
        if time.monotonic() < self._limited_until:
            return self._limited
        return self._away

    @property
    def is_open(self) -> bool:
        """Return whether a new order may be begun now."""
        return time.monotonic() >= max(self._away_until, self._limited_until)

    @property
    def is_scarce(self) -> bool:
        """Return whether few requests are left: those that can wait let orders go first."""
        left = self._left()
        return left is not None and left < self._reserve + _SCARCE_BELOW

    @property
    def is_limited(self) -> bool:
        """Return whether the broker said 429 and its window isn't over: whatever is asked is refused."""
        return time.monotonic() < self._refused_until

    @property
    def is_trying(self) -> bool:
        """Return whether the broker was away and hasn't answered since: one order at a time finds out."""
        return self._failures > 0

    def room(self, under_way: int) -> int | None:
        """Return how many more requests orders may make in this window; None when nothing tells.

        ``under_way`` requests are not among those that the broker counted in its last answer.
        """
        left = self._left()
        return None if left is None else max(0, left - self._reserve - under_way)

    def heard(self, call: Exchange) -> None:
        """Take note of an answer: the broker is there, and says how much is left."""
        if self._failures:
            log.info("the broker answers again", after_failures=self._failures)
        self._failures, self._away, self._away_until = 0, None, 0.0
        metrics.BROKER_AWAY.set(0)
        self.count(call)

    def count(self, call: Exchange) -> None:
        """Take note of what an answer says about the rate limit, whatever else it says."""
        now = time.monotonic()
        remaining = call.headers.get("x-ratelimit-remaining", "")
        until = now + _seconds_to_reset(call.headers.get("x-ratelimit-reset", ""))
        if remaining.isdigit():
            is_same = abs(until - self._window_until) < 1.0
            left = self._left() if is_same else None
            # Answers overtake each other: within a window the lowest number is the latest.
            self._remaining = int(remaining) if left is None else min(left, int(remaining))
            self._window_until = until
            metrics.RATE_LIMIT_REMAINING.set(self._remaining)
        if call.status_code == _TOO_MANY:
            self._refused_until = until
        if call.status_code == _TOO_MANY or self.room(0) == 0:
            self._limit(until)

    def failed(self, reason: str, call: Exchange, *, is_market_data: bool = False) -> None:
        """Take note that the broker gave no usable answer. The market data have a rate limit of their own."""
        if not is_market_data:
            self.count(call)
            if call.status_code == _TOO_MANY:
                return
        if time.monotonic() < self._away_until:
            # Those that were under way together fail together: that counts once.
            return
        self._failures += 1
        top = min(_BACKOFF_S_MAX, _BACKOFF_S_MIN * 2 ** min(self._failures, 8))
        wait_s = random.uniform(_BACKOFF_S_MIN, top)
        told = f"broker: {reason}"
        if self._away is None:
            log.warning("orders wait", reason=told)
        self._away, self._away_until = told, time.monotonic() + wait_s
        metrics.BROKER_AWAY.set(1)

    def _left(self) -> int | None:
        return self._remaining if time.monotonic() < self._window_until else None

    def _limit(self, until: float) -> None:
        if time.monotonic() >= self._limited_until:
            at = datetime.fromtimestamp(time.time() + until - time.monotonic(), UTC)
            self._limited = f"rate limit used up: orders wait for its reset at {at:%H:%M:%S} UTC"
            log.warning("orders wait", reason=self._limited)
        self._limited_until = max(self._limited_until, until)


def _seconds_to_reset(reset: str) -> float:
    """Return how long the limit still lasts; ``reset`` is in unix seconds of the broker's clock."""
    if not reset.isdigit():
        return _LIMIT_WINDOW_S / 4
    return min(_LIMIT_WINDOW_S, max(0.2, int(reset) - time.time()))
