"""What the API's reports can be asked, as it stands in a URL's query."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Self

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.auditor.api.negotiation import FORM_PARAMETER, Form
from tradetrail.events.generated import DeclineReason
from tradetrail.reports.declined import DeclinedFilter
from tradetrail.reports.paging import LIMIT_DEFAULT, LIMIT_MAX, NAME_LENGTH_MAX
from tradetrail.reports.runs import RunFilter, RunStatus

DECISION = Path(max_length=NAME_LENGTH_MAX, description="Id of a decision, made or declined.")
"""A decision's id in a URL's path."""
_FORM_TOLD = "Form of the answer, whatever the header Accept says."


def form_asked(
    _form: Annotated[Form | None, Query(alias=FORM_PARAMETER, description=_FORM_TOLD)] = None,
) -> None:
    """Let a URL name the form of a report that has no Question: a dependency of its route."""


class Question(BaseModel):
    """What is asked. An unknown word is refused: a filter never fails silently.

    An empty value counts as none: so a page's form sends what was left blank.
    """

    model_config = ConfigDict(extra="forbid")

    form: Form | None = Field(
        default=None, alias=FORM_PARAMETER, exclude=True, description=_FORM_TOLD
    )

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, asked: Any) -> Any:
        if not isinstance(asked, dict):
            return asked
        return {name: value for name, value in asked.items() if value != ""}

    def arguments(self) -> dict[str, Any]:
        """Return what is asked, by the names it has in a URL; what was left out has its usual value or none."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class PeriodQuestion(Question):
    """Which period."""

    first: date | None = Field(
        default=None,
        alias="from",
        description="First day, inclusive, New York, on which it began, ended, or was answered.",
        examples=["2020-01-01"],
    )
    last: date | None = Field(
        default=None, alias="to", description="Last such day, inclusive.", examples=["2020-12-31"]
    )


class PagedQuestion(Question):
    """Which page, or all of it."""

    after: str | None = Field(
        default=None, description="The `next` of the page before; without it, the first page."
    )
    every: bool = Field(
        default=False,
        alias="all",
        description="All rows that the filters let through, streamed, as JSON, CSV or Parquet.",
    )

    @model_validator(mode="after")
    def _has_pages_or_not(self) -> Self:
        if self.every and self.model_fields_set & {"limit", "after"}:
            raise ValueError("all of it has no pages: leave limit and after out")
        return self

    def arguments(self) -> dict[str, Any]:
        """Return what is asked; where all rows are, without a page's length."""
        told = super().arguments()
        if self.every:
            told.pop("limit", None)
        else:
            del told["all"]
        return told


class ListQuestion(PagedQuestion):
    """Which page of a listing."""

    limit: int = Field(
        default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="Rows on a page, at most."
    )


class SectionsQuestion(PagedQuestion):
    """Which page of a report of several lists."""

    limit: int | None = Field(
        default=None,
        ge=1,
        le=LIMIT_MAX,
        description=f"Rows of each list, at most; without it {LIMIT_MAX}, or {LIMIT_DEFAULT} on a page for people.",
    )


class PageQuestion(ListQuestion, PeriodQuestion):
    """Which page of a listing over a period."""


class RunsQuestion(PageQuestion):
    """Which runs."""

    task: str | None = Field(
        default=None, description="Only this task.", examples=["data_fetch:congress_daily"]
    )
    data_source: str | None = Field(
        default=None, description="Only this data source.", examples=["quiverquant_congress"]
    )
    status: RunStatus | None = Field(default=None, description="Only runs of this status.")
    run: str | None = Field(default=None, description="Only the run of this id.")

    def chosen(self) -> RunFilter:
        """Return which runs are asked for."""
        return RunFilter(
            start=self.first,
            end=self.last,
            task=self.task,
            data_source=self.data_source,
            status=self.status,
            run=self.run,
        )


class DeclinedQuestion(PageQuestion):
    """Which declined signals."""

    symbol: str | None = Field(
        default=None, max_length=64, description="Only this symbol.", examples=["MSFT"]
    )
    strategy: str | None = Field(
        default=None,
        description="Only this strategy, or manual.",
        examples=["CongressionalTradingStrategy"],
    )
    reason: DeclineReason | None = Field(default=None, description="Only this reason.")

    def chosen(self) -> DeclinedFilter:
        """Return which signals are asked for."""
        return DeclinedFilter(
            start=self.first,
            end=self.last,
            symbol=self.symbol,
            strategy=self.strategy,
            reason=self.reason,
        )
