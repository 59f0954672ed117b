"""Reads contexts, and waits for one that can't be had: as Alpaca tells, within a limit, and where operators see it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import Protocol

import structlog

from services.decider.contexts.context import Call, ContextAway, Reading
from tradetrail.errors import Retryable

# Between two tries: at first short against the wait they are part of, then gentle to a vendor in trouble.
_PAUSE_S_MIN, _PAUSE_S_MAX = 0.5, 5.0
_SYMBOLS_SHOWN = 5

log = structlog.get_logger(__name__)


class ContextSource(Protocol):
    """Where contexts come from; ContextAway while they can't be had."""

    def read(
        self, symbols: Sequence[str], now: datetime, *, with_portfolio: bool, until: float
    ) -> Reading:
        """Return the sessions of each symbol as of ``now`` and, if asked, the portfolio; end by ``until``."""


class ContextWait:
    """A source that is waited for. ``waiting`` says for what at the moment; safe to read from other threads."""

    def __init__(self, source: ContextSource, stop: Event) -> None:
        """Wait for ``source`` until ``stop`` is set."""
        self._source = source
        self._stop = stop
        self.waiting: str | None = None

    def read(
        self, symbols: Sequence[str], now: datetime, *, with_portfolio: bool, until: float
    ) -> Reading:
        """Return what the source gives, asked again as long as it may come before ``until`` (monotonic).

        Raises ContextAway with the calls of all tries, and Retryable as soon as the process is asked to stop.
        """
        failed: list[Call] = []
        pause_s = _PAUSE_S_MIN
        try:
            while True:
                try:
                    reading = self._source.read(
                        symbols, now, with_portfolio=with_portfolio, until=until
                    )
                    return replace(reading, failed=tuple(failed))
                except ContextAway as error:
                    failed.extend(error.calls)
                    left_s = until - time.monotonic()
                    told_s = error.again_at - time.monotonic() if error.again_at else 0.0
                    if left_s <= 0 or told_s > left_s:
                        # What comes later than the wait may last need not be waited for.
                        raise ContextAway(str(error), tuple(failed), error.again_at) from error
                    self._tell(symbols, error)
                if self._stop.wait(max(told_s, min(pause_s, left_s))):
                    raise Retryable("asked to stop while waiting for a context")
                pause_s = min(2 * pause_s, _PAUSE_S_MAX)
        finally:
            self.waiting = None

    def _tell(self, symbols: Sequence[str], error: ContextAway) -> None:
        shown = ", ".join(symbols[:_SYMBOLS_SHOWN])
        more = f" and {len(symbols) - _SYMBOLS_SHOWN} more" if symbols[_SYMBOLS_SHOWN:] else ""
        self.waiting = f"{shown or 'the account'}{more}: {error}"
        log.warning("waiting for a context", symbols=len(symbols), error=str(error))
