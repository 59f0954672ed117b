"""The reports on what became of decisions, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request, Response

from services.auditor.api.pages import Pages
from services.auditor.api.reports.answers import Answers
from services.auditor.api.reports.trade_questions import (
    FailedQuestion,
    PerformanceQuestion,
    TradeQuestion,
)
from tradetrail.events.generated import FailureReason
from tradetrail.reports.executed import EXECUTED
from tradetrail.reports.failed import FAILED
from tradetrail.reports.performance import performance_report, performance_sheet


class TradeReports:
    """Answers by ``answers``, for browsers with ``pages``."""

    def __init__(self, answers: Answers, pages: Pages) -> None:
        """Take what answers come from."""
        self._answers = answers
        self._pages = pages

    def add_to(self, app: FastAPI) -> None:
        """Add the routes."""
        app.get("/reports/executed", summary="What executed")(self.executed)
        app.get("/reports/failed", summary="What failed, and why")(self.failed)
        app.get("/reports/performance", summary="How each strategy's signals fared")(
            self.performance
        )

    def executed(self, request: Request, asked: Annotated[TradeQuestion, Query()]) -> Response:
        """Return a page of executed trades, newest first; the header Link leads to the next one."""
        return self._answers.listing(request, asked, EXECUTED, self._pages.of("executed.html"))

    def failed(self, request: Request, asked: Annotated[FailedQuestion, Query()]) -> Response:
        """Return a page of failed decisions, newest first; the header Link leads to the next one."""
        page = self._pages.of("failed.html", reasons=FailureReason)
        return self._answers.listing(request, asked, FAILED, page)

    def performance(
        self, request: Request, asked: Annotated[PerformanceQuestion, Query()]
    ) -> Response:
        """Return how each strategy's signals fared and, apart from that, what their fills are worth."""
        return self._answers.report(
            request,
            asked.arguments(),
            lambda connection: performance_report(connection, asked.chosen()),
            performance_sheet,
            self._pages.of("performance.html"),
        )
