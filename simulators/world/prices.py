"""Daily prices of a simulated market, by symbol and New York session.

Prices are unadjusted where the source allows it: a split shows as a factor on the session it takes effect, and
multiplies positions at that session's start. A session without a bar was a session in which the symbol could not be
traded: nothing is carried forward.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

# A share class is one letter after the separator; vendors write BRK-B, BRK/B and BRK.B for one symbol.
_SHARE_CLASS = re.compile(r"^([A-Z]{1,5})[-/]([A-Z])$")


@dataclass(frozen=True, slots=True)
class Bar:
    """One symbol's session. ``split`` multiplies positions at the session's start (4 = four for one)."""

    symbol: str
    session_on: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    split: Decimal = Decimal(1)


class Prices(Protocol):
    """What a market simulator asks: bars by session, never between sessions."""

    def bar(self, symbol: str, session_on: date) -> Bar | None:
        """Return the bar of one session, or None when the symbol did not trade."""

    def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
        """Return the bars from ``start`` to ``end``, both included, oldest first."""

    def last_bar(self, symbol: str, on_or_before: date) -> Bar | None:
        """Return the newest bar of ``on_or_before`` or earlier."""

    def symbols(self) -> list[str]:
        """Return every symbol with at least one bar, sorted."""

    @property
    def bars_count(self) -> int:
        """Return how many bars there are."""

    @property
    def span(self) -> tuple[date, date] | None:
        """Return the first and the last day with a bar, or None without any."""


@dataclass(frozen=True, slots=True)
class _Series:
    """One symbol's bars, oldest first, and their dates at the same index."""

    days: list[date]
    bars: list[Bar]


class PriceTable:
    """Prices in memory; a symbol's bars are made when it is first asked for.

    A folder holds hundreds of symbols of which one run trades a few: making every Decimal up front would cost
    seconds at each start.
    """

    def __init__(
        self,
        symbols: Collection[str],
        make_bars: Callable[[str], list[Bar]],
        days: Mapping[str, Collection[date]] | None = None,
    ) -> None:
        """Serve ``symbols``; ``make_bars`` returns one symbol's bars in any order, one per session.

        ``days`` tells on which days each symbol has a bar, so that counting them need not make them.
        """
        self._symbols = frozenset(symbols)
        self._make_bars = make_bars
        self._known_days = days or {}
        self._series: dict[str, _Series] = {}

    @property
    def bars_count(self) -> int:
        """Return how many bars there are."""
        return sum(len(self._days(symbol)) for symbol in self._symbols)

    @property
    def span(self) -> tuple[date, date] | None:
        """Return the first and the last day with a bar, or None without any."""
        days = [own for symbol in self._symbols if (own := self._days(symbol))]
        return (min(map(min, days)), max(map(max, days))) if days else None

    def bar(self, symbol: str, session_on: date) -> Bar | None:
        """Return the bar of one session, or None when the symbol did not trade."""
        last = self.last_bar(symbol, session_on)
        return last if last is not None and last.session_on == session_on else None

    def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
        """Return the bars from ``start`` to ``end``, both included, oldest first."""
        series = self._of(symbol)
        return series.bars[bisect_left(series.days, start) : bisect_right(series.days, end)]

    def last_bar(self, symbol: str, on_or_before: date) -> Bar | None:
        """Return the newest bar of ``on_or_before`` or earlier."""
        series = self._of(symbol)
        position = bisect_right(series.days, on_or_before) - 1
        return series.bars[position] if position >= 0 else None

    def symbols(self) -> list[str]:
        """Return every symbol with at least one bar, sorted."""
        return sorted(self._symbols)

    def _days(self, symbol: str) -> Collection[date]:
        return self._known_days.get(symbol) or self._of(symbol).days

    def _of(self, symbol: str) -> _Series:
        series = self._series.get(symbol)
        if series is None:
            found = self._make_bars(symbol) if symbol in self._symbols else []
            ordered = sorted(found, key=lambda bar: bar.session_on)
            series = _Series([bar.session_on for bar in ordered], ordered)
            if symbol in self._symbols:
                self._series[symbol] = series
        return series


# Files name one symbol on hundreds of lines; a few thousand different ones are known in all.
@lru_cache(maxsize=16_384)
def market_symbol(text: str) -> str:
    """Return a symbol as the market writes it: upper case, share classes after a dot (BRK-B is BRK.B)."""
    return _SHARE_CLASS.sub(r"\1.\2", text.strip().upper())
