"""The one clock a service reads: the system's, or the simulated one.

Times are aware UTC. Monotonic time (deadlines, rate limits) is always real, also under a simulated clock.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

import requests

from tradetrail.errors import Retryable

# A simulator on the same host or compose network answers in about a millisecond; longer means it is gone.
CLOCK_TIMEOUT_S = (2.0, 5.0)
# How long an answer of the simulated clock is used again. The demo moves the date only while every service is
# idle, so an age of this size never mixes two simulated instants within one batch.
CLOCK_CACHE_S = 0.02


class Clock(Protocol):
    """What tells the time. Services get one at start and pass instants on, never the clock itself, to pure rules."""

    def now(self) -> datetime:
        """Return the current instant, aware, UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the system's current instant, UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands where it was put: for tests and for replays."""

    def __init__(self, instant: datetime) -> None:
        """Stand at ``instant`` (aware)."""
        self.instant = instant

    def now(self) -> datetime:
        """Return the instant it was put at."""
        return self.instant.astimezone(UTC)


class SimulatedClock:
    """The clock of a simulator, read over HTTP from its ``/control/clock``.

    Raises Retryable when the simulator does not answer: a service must not fall back to the wall clock.
    """

    def __init__(self, url: str) -> None:
        """Read ``url``, which answers ``{"now": RFC 3339}``."""
        self._url = url
        self._session = requests.Session()
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._value = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Return the simulated instant, at most ``CLOCK_CACHE_S`` old."""
        with self._lock:
            if time.monotonic() - self._read_at > CLOCK_CACHE_S:
                self._value = self._fetch()
                self._read_at = time.monotonic()
            return self._value

    def _fetch(self) -> datetime:
        try:
            answer = self._session.get(self._url, timeout=CLOCK_TIMEOUT_S)
            answer.raise_for_status()
            return datetime.fromisoformat(answer.json()["now"]).astimezone(UTC)
        except (requests.RequestException, ValueError, KeyError) as error:
            raise Retryable(
                f"the simulated clock at {self._url} does not answer ({error}); is the simulator running?"
            ) from error


def open_clock(url: str | None) -> Clock:
    """Return the simulated clock at ``url``, or the system's when there is none."""
    return SimulatedClock(url) if url else SystemClock()
