"""What the API's reports on trades can be asked, as it stands in a URL's query."""

from __future__ import annotations

from pydantic import Field

from services.auditor.questions import PageQuestion
from tradetrail.events.generated import FailureReason, Side
from tradetrail.reports.asked import TradeFilter
from tradetrail.reports.failed import FailedFilter


class TradeQuestion(PageQuestion):
    """Which trades."""

    symbol: str | None = Field(
        default=None, max_length=64, description="Only this symbol.", examples=["MSFT"]
    )
    strategy: str | None = Field(
        default=None,
        description="Only this strategy, or manual.",
        examples=["CongressionalTradingStrategy"],
    )
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
