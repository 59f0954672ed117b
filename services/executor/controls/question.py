"""What a control may look at: a decision, and the facts of the moment it is checked in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal

from services.executor.settings import ExecutorSettings
from services.executor.state.book import Book, Decision
from services.executor.state.halts import Halts
from services.executor.state.reservations import Look, Reservation
from tradetrail.events.generated import OrderType, Side

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Account:
    """The account as the broker just told it; ``look`` is from just before it was asked.

    ``positions`` are shares by symbol, short ones negative; a symbol that is missing is not held.
    """

    buying_power_usd: Decimal
    positions: Mapping[str, Decimal]
    look: Look


@dataclass(frozen=True, slots=True)
class LastPrice:
    """The price of a symbol's last trade, USD a share, and when that was (UTC, the vendor's clock)."""

    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What all decisions of a batch are checked against; ``now`` is the injected clock's instant, UTC."""

    account: Account
    prices: Mapping[str, LastPrice]
    book: Book
    halts: Halts
    limits: ExecutorSettings
    now: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """One decision among its batch.

    ``ahead`` are the decisions of the batch that go before it, as if they were reserved already; ``replaces`` is the
    execution that a replacement takes the place of, whose reservation is its own.
    """

    decision: Decision
    facts: Facts
    ahead: tuple[Reservation, ...] = ()
    replaces: str | None = None

    @property
    def last(self) -> LastPrice | None:
        """Return the last price of the decision's symbol; None when there is none."""
        return self.facts.prices.get(self.decision.symbol)

    @property
    def price(self) -> Decimal | None:
        """Return the price an order is valued at, USD a share: its limit, or the last price where that is worse."""
        limit = self.decision.limit_price
        if self.decision.order_type is not OrderType.LIMIT or limit is None:
            return self.last.price if self.last else None
        if self.decision.side is Side.SELL and self.last is not None:
            # A sell never trades below its limit, but may trade above it.
            return max(limit, self.last.price)
        return limit

    @property
    def notional_usd(self) -> Decimal | None:
        """Return the order's value, rounded up to the cent; None without a price."""
        if self.price is None:
            return None
        return (self.price * self.decision.quantity).quantize(_CENT, ROUND_UP)
