"""When an API of Alpaca may be asked again, by what its answers say of the rate limit. Real time, monotonic."""

from __future__ import annotations

import time
from collections.abc import Callable

from tradetrail.exchange import Exchange

# A limit is per minute: however far off a reset seems (clocks differ), it has come by then.
WINDOW_S = 60.0
# A reset is told in whole seconds, and asking just before it would be refused again.
_LEAST_S = 0.2
# A refusal that names no time: a few tries a minute.
_UNTOLD_S = WINDOW_S / 4
_TOO_MANY = 429


class RateLimit:
    """What is known of one API's limit, which every client of the account draws on.

    Two threads may report at once; the later of two resets may then be lost, and is told again by the next answer.
    """

    def __init__(
        self,
        reserve: int,
        monotonic: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """Leave ``reserve`` requests of each window to others, but never more than half of a small limit."""
        self._reserve = reserve
        self._monotonic = monotonic
        self._unix_time = unix_time
        self._again_at = 0.0
        self.reason = ""

    def again_at(self) -> float:
        """Return when it may be asked again (monotonic); 0 for now."""
        return self._again_at if self._again_at > self._monotonic() else 0.0

    def heard(self, exchange: Exchange) -> None:
        """Take note of an answer."""
        headers = exchange.headers
        remaining = headers.get("x-ratelimit-remaining", "")
        reset_s = self._until_reset(headers.get("x-ratelimit-reset", ""))
        if exchange.status_code == _TOO_MANY:
            told = headers.get("retry-after", "")
            wait_s = float(told) if told.isdigit() else reset_s
            self._close(_UNTOLD_S if wait_s is None else wait_s, "Alpaca's rate limit is used up")
        elif remaining.isdigit() and int(remaining) <= (kept := self._kept(headers)):
            why = (
                f"{remaining} requests are left to the account, of which {kept} are kept for orders"
            )
            self._close(_UNTOLD_S if reset_s is None else reset_s, why)

    def _kept(self, headers: dict[str, str]) -> int:
        limit = headers.get("x-ratelimit-limit", "")
        return min(self._reserve, int(limit) // 2) if limit.isdigit() else self._reserve

    def _until_reset(self, told: str) -> float | None:
        if not told.isdigit():
            return None
        return int(told) - self._unix_time()

    def _close(self, wait_s: float, reason: str) -> None:
        wait_s = min(WINDOW_S, max(_LEAST_S, wait_s))
        self._again_at = max(self._again_at, self._monotonic() + wait_s)
        self.reason = f"{reason} until its reset in {wait_s:.1f} s"
