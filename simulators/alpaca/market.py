"""What is known of prices at a simulated instant: the one place that keeps the future out.

A session's bar is known once it has closed; while it runs, only its open is. Instants in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from simulators.alpaca.instants import to_datetime, to_ns
from simulators.alpaca.ports import AssetFacts, Bar, World
from tradetrail import sessions
from tradetrail.ids import derive_id

# A symbol without a price for this many sessions is taken for delisted; a single missing day is not.
LISTED_SESSION_COUNT = 5


@dataclass(frozen=True, slots=True)
class Quote:
    """The latest price of a symbol, when it was made and in which session."""

    price: Decimal
    at_ns: int
    bar: Bar


@dataclass(frozen=True, slots=True)
class Asset:
    """A symbol the broker knows."""

    id: str
    symbol: str
    name: str


class Market:
    """Prices and assets as of a simulated instant, which the broker moves."""

    def __init__(self, world: World, now_ns: int) -> None:
        """Show ``world`` as of ``now_ns``."""
        self._prices = world.prices
        symbols = sorted({*world.prices.symbols(), *world.assets})
        self._assets = {s: _asset(s, world.assets.get(s)) for s in symbols}
        self._symbols_by_id = {asset.id: s for s, asset in self._assets.items()}
        self._quotes: dict[str, Quote | None] = {}
        self.open_session: date | None = None
        self.finished_session: date = date.min
        self.move_to(now_ns)

    def move_to(self, now_ns: int) -> None:
        """Take ``now_ns`` for the present."""
        self.now_ns = now_ns
        instant = to_datetime(now_ns)
        self.open_session = sessions.session_at(instant)
        today = sessions.new_york_date(instant)
        if sessions.is_session(today) and sessions.session_close(today) <= instant:
            self.finished_session = today
        else:
            self.finished_session = sessions.previous_session(today)
        self._quotes.clear()

    def assets(self) -> list[Asset]:
        """Return every asset, by symbol."""
        return list(self._assets.values())

    def asset(self, symbol_or_id: str) -> Asset | None:
        """Return the asset of that symbol or id, or None."""
        return self._assets.get(self._symbols_by_id.get(symbol_or_id.lower(), symbol_or_id))

    def quote(self, symbol: str) -> Quote | None:
        """Return the latest known price: the running session's open, else the last close."""
        if symbol not in self._quotes:
            self._quotes[symbol] = self._find_quote(symbol)
        return self._quotes[symbol]

    def session_bar(self, symbol: str, session_on: date) -> Bar | None:
        """Return a session's whole bar, future or not: for the matching rule alone."""
        return self._prices.bar(symbol, session_on)

    def finished_bars(self, symbol: str, start: date, end: date) -> Sequence[Bar]:
        """Return the bars of finished sessions from ``start`` to ``end``, both included."""
        last = min(end, self.finished_session)
        return self._prices.bars(symbol, start, last) if start <= last else []

    def last_finished_bar(self, symbol: str) -> Bar | None:
        """Return the bar of the symbol's last finished session, or None."""
        return self._prices.last_bar(symbol, self.finished_session)

    def previous_close(self, symbol: str) -> Decimal | None:
        """Return the last close before today (New York), in today's shares once today has begun."""
        today = sessions.new_york_date(to_datetime(self.now_ns))
        before = self.previous_bar(symbol, today)
        if before is None:
            return None
        if self.open_session != today and self.finished_session != today:
            return before.close
        bar = self._prices.bar(symbol, today)
        return before.close if bar is None else before.close / bar.split

    def previous_bar(self, symbol: str, day: date) -> Bar | None:
        """Return the symbol's last bar before ``day`` (today or earlier), or None."""
        return self._prices.last_bar(symbol, day - timedelta(days=1))

    def is_tradable(self, symbol: str) -> bool:
        """Tell whether the symbol has a price in the running session, or lately when none runs."""
        if self.open_session is not None:
            return self._prices.bar(symbol, self.open_session) is not None
        bar = self.last_finished_bar(symbol)
        # Calendar days that surely hold the sessions asked for, counted exactly below.
        earliest = self.finished_session - timedelta(days=LISTED_SESSION_COUNT * 3)
        recent = sessions.sessions(earliest, self.finished_session)[-LISTED_SESSION_COUNT:]
        return bar is not None and bar.session_on >= recent[0]

    def _find_quote(self, symbol: str) -> Quote | None:
        running = self.open_session
        if running is not None and (bar := self._prices.bar(symbol, running)) is not None:
            return Quote(bar.open, to_ns(sessions.session_open(running)), bar)
        last = self.last_finished_bar(symbol)
        if last is None:
            return None
        return Quote(last.close, to_ns(sessions.session_close(last.session_on)), last)


def _asset(symbol: str, facts: AssetFacts | None) -> Asset:
    name = facts.name if facts is not None else symbol
    return Asset(asset_id(symbol), symbol, name or symbol)


@lru_cache(100_000)  # more than a market lists; every order and position tells it
def asset_id(symbol: str) -> str:
    """Return the id of an asset: the same in every run."""
    return str(derive_id("simulated-asset", symbol))
