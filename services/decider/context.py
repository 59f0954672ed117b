"""The market and the portfolio as a decision knows them: plain values and decimal arithmetic, the same anywhere."""

from __future__ import annotations

from collections.abc import Sequence
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
class Call:
    """An exchange with what it was for."""

    purpose: CallPurpose
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Context:
    """Market and portfolio as read; no bars means the symbol can't be traded. Money in USD."""

    bars: tuple[DailyBar, ...]
    existing_position: Decimal
    buying_power: Decimal
    portfolio_value: Decimal
    calls: tuple[Call, ...]

    @property
    def volume_20d_avg(self) -> Decimal | None:
        """Return the mean daily volume, shares."""
        return volume_20d_avg(self.bars)

    @property
    def volatility(self) -> Decimal | None:
        """Return the annualised volatility."""
        return volatility(self.bars)


class ContextAway(Retryable):
    """The context can't be had at the moment; ``calls`` are those that were made, the failed one last."""

    def __init__(self, message: str, calls: tuple[Call, ...]) -> None:
        """Keep the calls beside the message."""
        super().__init__(message)
        self.calls = calls
