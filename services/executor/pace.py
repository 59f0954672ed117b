"""When the broker may be asked again: after it was away, and near the account's rate limit. Real time."""

from __future__ import annotations

import random
import time

import structlog

from services.executor.guarded_http import Exchange

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
    """Watches answers; ``is_open`` tells whether orders may go on."""

    def __init__(self, rate_limit_reserve: int) -> None:
        """Leave ``rate_limit_reserve`` requests of each window to follow-up."""
        self._reserve = rate_limit_reserve
        self._closed_until = 0.0
        self._failures = 0
        self._scarce_until = 0.0
        self._limited_until = 0.0
        self.reason: str | None = None

    @property
    def is_scarce(self) -> bool:
        """Return whether few requests are left: those that can wait let orders go first."""
        return time.monotonic() < self._scarce_until

    @property
    def is_limited(self) -> bool:
        """Return whether the broker said 429 and its window isn't over: whatever is asked is refused."""
        return time.monotonic() < self._limited_until

    @property
    def is_open(self) -> bool:
        """Return whether a new order may be begun now."""
        return time.monotonic() >= self._closed_until

    def heard(self, call: Exchange) -> None:
        """Take note of an answer: the broker is there, and says how much is left."""
        self._failures = 0
        self.reason = None
        remaining = call.headers.get("x-ratelimit-remaining", "")
        is_over = call.status_code == _TOO_MANY
        wait_s = _seconds_to_reset(call.headers.get("x-ratelimit-reset", ""))
        if is_over:
            self._limited_until = time.monotonic() + wait_s
        if remaining.isdigit():
            is_scarce = int(remaining) < self._reserve + _SCARCE_BELOW
            self._scarce_until = time.monotonic() + wait_s if is_scarce else 0.0
        if is_over or (remaining.isdigit() and int(remaining) < self._reserve):
            self._close(wait_s, f"rate limit: waiting {wait_s:.1f} s for its reset")

    def failed(self, reason: str, call: Exchange) -> None:
        """Take note that the broker gave no usable answer."""
        if call.status_code == _TOO_MANY:
            self.heard(call)
            return
        self._failures += 1
        top = min(_BACKOFF_S_MAX, _BACKOFF_S_MIN * 2 ** min(self._failures, 8))
        self._close(random.uniform(_BACKOFF_S_MIN, top), f"broker: {reason}")

    def _close(self, wait_s: float, reason: str) -> None:
        if self.reason != reason:
            log.warning("orders wait", reason=reason)
        self.reason = reason
        self._closed_until = time.monotonic() + wait_s


def _seconds_to_reset(reset: str) -> float:
    """Return how long the limit still lasts; ``reset`` is in unix seconds of the broker's clock."""
    if not reset.isdigit():
        return _LIMIT_WINDOW_S / 4
    return min(_LIMIT_WINDOW_S, max(0.2, int(reset) - time.time()))
