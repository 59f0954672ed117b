"""The market and the portfolio as a decision knows them: plain values and decimal arithmetic, the same anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from itertools import pairwise

from tradetrail.errors import Retryable
from tradetrail.events.generated import CallPurpose
from tradetrail.exchange import Exchange

# The look-back of volume and volatility, sessions: a trading month.
SESSIONS = 20
SESSIONS_A_YEAR = Decimal(252)
_GRAIN = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One finished session: when it began (UTC), close in USD, volume in shares."""

    starts_at: datetime
    close: Decimal
    volume: Decimal


def volume_20d_avg(bars: Sequence[DailyBar]) -> Decimal | None:
    """Return the mean volume of the last 20 sessions, shares; None with fewer bars."""
    if len(bars) < SESSIONS:
        return None
    last = bars[-SESSIONS:]
    return (sum((bar.volume for bar in last), Decimal(0)) / SESSIONS).quantize(_GRAIN)


def volatility(bars: Sequence[DailyBar]) -> Decimal | None:
    """Return the annualised sample standard deviation of 20 daily log returns; None with fewer than 21 bars."""
    if len(bars) < SESSIONS + 1:
        return None
    closes = [bar.close for bar in bars[-(SESSIONS + 1) :]]
    with localcontext() as context:
        context.prec = 28
        returns = [(after / before).ln() for before, after in pairwise(closes)]
        mean = sum(returns, Decimal(0)) / len(returns)
        variance = sum(((r - mean) ** 2 for r in returns), Decimal(0)) / (len(returns) - 1)
        return (variance * SESSIONS_A_YEAR).sqrt().quantize(_GRAIN)


@dataclass(frozen=True, slots=True)
class Market:
    """A symbol's market by its finished sessions: last close (USD) and when that session began, volume, volatility.

    ``call_ids`` are the recorded calls it was read from.
    """

    current_price: Decimal
    price_as_of: datetime
    volume_20d_avg: Decimal | None
    volatility: Decimal | None
    call_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Market and portfolio of one symbol as a decision knows them; no market: it can't be traded. Money in USD.

    ``call_ids`` are the recorded calls the portfolio was read from.
    """

    market: Market | None
    existing_position: Decimal
    buying_power: Decimal
    portfolio_value: Decimal
    call_ids: tuple[str, ...] = ()


def market_of(bars: Sequence[DailyBar], call_ids: tuple[str, ...] = ()) -> Market | None:
    """Return the market by finished sessions, oldest first; None without any."""
    if not bars:
        return None
    return Market(
        bars[-1].close, bars[-1].starts_at, volume_20d_avg(bars), volatility(bars), call_ids
    )


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The account at one moment: its money in USD, and the shares held of each symbol."""

    buying_power: Decimal
    portfolio_value: Decimal
    positions: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Call:
    """An exchange with what it was for; ``symbols`` are those it asked for, None where it is about the account."""

    purpose: CallPurpose
    exchange: Exchange
    symbols: tuple[str, ...] | None

    def concerns(self, symbol: str) -> bool:
        """Tell whether what ``symbol`` is decided on rests on it."""
        return self.symbols is None or symbol in self.symbols

    @property
    def is_answered(self) -> bool:
        """Tell whether it brought what it asked for."""
        status = self.exchange.status_code
        return status is not None and status < 400


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at market and account gave: the portfolio where it was asked for, and each symbol's sessions.

    ``calls`` are those it took, in a fixed order; ``failed`` those of earlier tries.
    """

    portfolio: Portfolio | None
    bars: Mapping[str, tuple[DailyBar, ...]]
    calls: tuple[Call, ...]
    failed: tuple[Call, ...] = ()


class ContextAway(Retryable):
    """The context can't be had at the moment; ``calls`` are those that were made, failed ones among them.

    ``again_at`` is when Alpaca may be asked again (``time.monotonic``), 0 where it didn't say.
    """

    def __init__(self, message: str, calls: tuple[Call, ...], again_at: float = 0.0) -> None:
        """Keep the calls beside the message."""
        super().__init__(message)
        self.calls = calls
        self.again_at = again_at
