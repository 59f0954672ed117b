"""When open orders are looked at next. Real time, monotonic seconds; knows no order.

New orders go before polls while the rate limit is scarce, but a poll waits for them only so long.
"""

from __future__ import annotations

import random

from services.executor.broker.outcomes import Away
from services.executor.broker.pace import Pace

# What was not told of, or only in part, is asked for again after this: it is known to be worth asking.
SOON_S = 0.5
# While the stream is mute, polls are all we have: this often, or as often as they are anyway.
MUTE_POLL_EVERY_S = 2.0
# A poll lets waiting orders go first for this many poll intervals, then it goes: nothing is left open unseen for ever.
YIELD_INTERVALS_MAX = 3
# The broker gave no usable answer: soon at first, then gently, at most the poll interval.
_BACKOFF_S_MIN = 0.5


class Schedule:
    """One timer for all open orders: a poll asks for all of them at once."""

    def __init__(self, poll_every_s: float, pace: Pace) -> None:
        """Poll every ``poll_every_s``, as far as ``pace`` lets."""
        self._poll_every_s = poll_every_s
        self._pace = pace
        self._due_at: float | None = None
        self._soon_s: float | None = None
        self._failures = 0
        self.is_for_all = False
        """Everything may have changed (start, reconnect, a clock that was set): the next poll is a snapshot."""

    def ask_for_all(self) -> None:
        """Let the next look be one at everything, at once."""
        self.is_for_all = True

    def ask_soon(self, within_s: float = SOON_S) -> None:
        """Let the next look be within ``within_s``."""
        self._soon_s = within_s if self._soon_s is None else min(self._soon_s, within_s)

    def nothing_open(self, at: float) -> None:
        """Take note that there is nothing to look at."""
        self._due_at = at + self._poll_every_s
        self._soon_s = None
        self.is_for_all = False

    def may_hint(self, *, has_waiting: bool) -> bool:
        """Return whether hinted orders may be asked for now; polls find what they can't."""
        return not self._pace.is_limited and not (has_waiting and self._pace.is_scarce)

    def is_due(self, at: float, *, has_waiting: bool) -> bool:
        """Return whether to look at all open orders now; ``has_waiting`` is whether orders wait to be sent."""
        if self._due_at is None:
            self._due_at = at + self._poll_every_s
        if self._soon_s is not None:
            self._due_at, self._soon_s = min(self._due_at, at + self._soon_s), None
        due_at = self._due_at
        if self.is_for_all and not self._failures:
            due_at = min(due_at, at)
            self._due_at = due_at
        if at < due_at or self._pace.is_limited:
            return False
        patience_s = YIELD_INTERVALS_MAX * self._poll_every_s
        return not (has_waiting and self._pace.is_scarce and at < due_at + patience_s)

    def begun(self, at: float, *, is_mute: bool) -> None:
        """Take note that a look at all open orders began."""
        every_s = min(self._poll_every_s, MUTE_POLL_EVERY_S) if is_mute else self._poll_every_s
        self._due_at = at + every_s
        self.is_for_all = False

    def ended(self, away: Away | None, *, was_for_all: bool) -> None:
        """Take note of how a look ended."""
        if away is None:
            self._failures = 0
            return
        self._failures += 1
        top = min(self._poll_every_s, _BACKOFF_S_MIN * 2 ** min(self._failures, 8))
        self.ask_soon(random.uniform(_BACKOFF_S_MIN / 2, max(_BACKOFF_S_MIN, top)))
        self.is_for_all = self.is_for_all or was_for_all
