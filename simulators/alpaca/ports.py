"""What the broker needs from the world it trades in: daily prices and the list of assets.

``simulators.world`` has the real ones (a generator and a folder loader).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol


class Bar(Protocol):
    """One symbol's prices of one session, unadjusted, in dollars a share."""

    @property
    def symbol(self) -> str: ...
    @property
    def session_on(self) -> date: ...
    @property
    def open(self) -> Decimal: ...
    @property
    def high(self) -> Decimal: ...
    @property
    def low(self) -> Decimal: ...
    @property
    def close(self) -> Decimal: ...
    @property
    def volume(self) -> int: ...
    @property
    def split(self) -> Decimal:
        """Return what a share of the day before is at this session's start (4 = 4:1)."""


class Prices(Protocol):
    """Daily bars by symbol and session."""

    def bar(self, symbol: str, session_on: date) -> Bar | None:
        """Return the bar of that session, or None."""

    def bars(self, symbol: str, start: date, end: date) -> Sequence[Bar]:
        """Return the bars from ``start`` to ``end``, both included, in order."""

    def last_bar(self, symbol: str, on_or_before: date) -> Bar | None:
        """Return the latest bar up to that day, or None."""

    def symbols(self) -> list[str]:
        """Return every symbol that has prices."""


class AssetFacts(Protocol):
    """What the world says about a symbol."""

    @property
    def symbol(self) -> str: ...
    @property
    def name(self) -> str: ...


class World(Protocol):
    """The part of a world that a broker shows."""

    @property
    def prices(self) -> Prices:
        """Return the daily prices."""

    @property
    def assets(self) -> Mapping[str, AssetFacts]:
        """Return the companies by symbol."""
