"""What the API's reports on orders and acts that need a person's eye can be asked, as it stands in a URL's query."""

from __future__ import annotations

from pydantic import Field

from services.auditor.api.reports.questions import ListQuestion, PageQuestion
from tradetrail.events.generated import OperatorAct, ReadOutcome
from tradetrail.reports.operator_acts import ActFilter
from tradetrail.reports.paging import NAME_LENGTH_MAX
from tradetrail.reports.reads import ReadFilter
from tradetrail.reports.unresolved import UnresolvedFilter


class UnresolvedQuestion(ListQuestion):
    """Which unresolved orders."""

    symbol: str | None = Field(
        default=None, max_length=64, description="Only this symbol.", examples=["MSFT"]
    )
    account: str | None = Field(
        default=None,
        max_length=NAME_LENGTH_MAX,
        description="Only this broker account.",
        examples=["paper"],
    )

    def chosen(self) -> UnresolvedFilter:
        """Return which orders are asked for."""
        return UnresolvedFilter(symbol=self.symbol, account=self.account)


class ActsQuestion(PageQuestion):
    """Which acts of people."""

    operator: str | None = Field(
        default=None, max_length=NAME_LENGTH_MAX, description="Only what this person did."
    )
    act: OperatorAct | None = Field(default=None, description="Only acts of this kind.")
    symbol: str | None = Field(
        default=None, max_length=64, description="Only this symbol.", examples=["MSFT"]
    )

    def chosen(self) -> ActFilter:
        """Return which acts are asked for."""
        return ActFilter(
            start=self.first,
            end=self.last,
            operator=self.operator,
            act=self.act,
            symbol=self.symbol,
        )


class ReadsQuestion(PageQuestion):
    """Which reads under the compliance role."""

    reader: str | None = Field(
        default=None, max_length=NAME_LENGTH_MAX, description="Only what this person read."
    )
    report: str | None = Field(
        default=None,
        max_length=NAME_LENGTH_MAX,
        description="Only this report.",
        examples=["executed"],
    )
    outcome: ReadOutcome | None = Field(default=None, description="Only reads that ended so.")

    def chosen(self) -> ReadFilter:
        """Return which reads are asked for."""
        return ReadFilter(
            start=self.first,
            end=self.last,
            reader=self.reader,
            report=self.report,
            outcome=self.outcome,
        )
