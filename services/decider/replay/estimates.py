"""What a decision would have been sized by where no context was recorded: the last known price and portfolio before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from services.decider.contexts.context import Market
from services.decider.replay.answering import context_of
from services.decider.replay.history import Answer
from tradetrail.events.generated import DecisionMade, Side
from tradetrail.sessions import new_york_date


class SizeBasis(StrEnum):
    """What a what-if's quantity rests on."""

    RECORDED = "recorded"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Known:
    """What was last recorded of a symbol: its market, and the shares held after its order."""

    market: Market | None
    position: Decimal


@dataclass(frozen=True, slots=True)
class Value:
    """The portfolio's value and buying power at an instant, USD."""

    at: datetime
    portfolio_value: Decimal
    buying_power: Decimal


class PortfolioValues:
    """The portfolio's value on each day that something was decided: one number a day, whatever is replayed."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._of_day: dict[date, Value] = {}
        self._days: list[date] | None = None

    def take(self, answer: Answer) -> None:
        """Learn from a recorded answer; the last of a day counts."""
        portfolio = answer.rationale.portfolio_context
        if portfolio is None:
            return
        day = new_york_date(answer.occurred_at)
        known = self._of_day.get(day)
        if known is None or known.at <= answer.occurred_at:
            value, power = portfolio.portfolio_value, portfolio.buying_power
            self._of_day[day] = Value(answer.occurred_at, value, power)
            self._days = None

    def before(self, instant: datetime) -> Value | None:
        """Return the last value of an earlier day in New York, None without one."""
        if self._days is None:
            self._days = sorted(self._of_day)
        index = bisect_left(self._days, new_york_date(instant))
        return self._of_day[self._days[index - 1]] if index else None


class SymbolsKnown:
    """The last recorded price and position of each symbol; as many entries as symbols."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[str, Known] = {}

    def take(self, symbol: str, answers: Iterable[Answer]) -> None:
        """Learn from a trigger's recorded answers; an order counts as filled."""
        for answer in answers:
            context = context_of(answer)
            if context is None:
                continue
            position = context.existing_position
            if isinstance(answer, DecisionMade):
                position += answer.quantity if answer.side == Side.BUY else -answer.quantity
            self._known[symbol] = Known(context.market, position)

    def of(self, symbol: str) -> Known | None:
        """Return what is known of a symbol, None when nothing was ever recorded."""
        return self._known.get(symbol)
