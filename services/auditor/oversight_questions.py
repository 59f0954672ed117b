"""What the API's reports on orders and acts that need a person's eye can be asked, as it stands in a URL's query."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.auditor.questions import PageQuestion
from tradetrail.events.generated import OperatorAct
from tradetrail.reports.operator_acts import ActFilter
from tradetrail.reports.paging import LIMIT_DEFAULT, LIMIT_MAX, NAME_LENGTH_MAX
from tradetrail.reports.unresolved import UnresolvedFilter


class UnresolvedQuestion(BaseModel):
    """Which unresolved orders. An unknown word is refused; an empty value counts as none."""

    model_config = ConfigDict(extra="forbid")

    symbol: str | None = Field(
        default=None, max_length=64, description="Only this symbol.", examples=["MSFT"]
    )
    account: str | None = Field(
        default=None,
        max_length=NAME_LENGTH_MAX,
        description="Only this broker account.",
        examples=["paper"],
    )
    limit: int = Field(
        default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="Rows on a page, at most."
    )
    after: str | None = Field(
        default=None, description="The `next` of the page before; without it, the first page."
    )

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, asked: Any) -> Any:
        if not isinstance(asked, dict):
            return asked
        return {name: value for name, value in asked.items() if value != ""}

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
