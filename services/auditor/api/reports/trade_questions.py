"""What the API's reports on trades can be asked, as it stands in a URL's query."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.auditor.api.reports.questions import PageQuestion, PeriodQuestion
from tradetrail.events.generated import FailureReason, Side
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.failed import FailedFilter
from tradetrail.reports.performance import PerformanceFilter

Strategy = Annotated[
    str | None,
    Field(description="Only this strategy, or manual.", examples=["CongressionalTradingStrategy"]),
]


class TradeQuestion(PageQuestion):
    """Which trades."""

    symbol: str | None = Field(
        default=None, max_length=64, description="Only this symbol.", examples=["MSFT"]
    )
    strategy: Strategy = None
    side: Side | None = Field(default=None, description="Only this side.")

    def chosen(self) -> TradeFilter:
        """Return which trades are asked for."""
        return TradeFilter(
            start=self.first,
            end=self.last,
            symbol=self.symbol,
            strategy=self.strategy,
            side=self.side,
        )


class FailedQuestion(TradeQuestion):
    """Which failed decisions."""

    reason: FailureReason | None = Field(default=None, description="Only this reason.")

    def chosen(self) -> FailedFilter:
        """Return which failures are asked for."""
        return FailedFilter(
            start=self.first,
            end=self.last,
            symbol=self.symbol,
            strategy=self.strategy,
            side=self.side,
            reason=self.reason,
        )


class PerformanceQuestion(PeriodQuestion):
    """Whose performance."""

    strategy: Strategy = None

    def chosen(self) -> PerformanceFilter:
        """Return whose signals are asked for."""
        return PerformanceFilter(start=self.first, end=self.last, strategy=self.strategy)
