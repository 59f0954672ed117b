"""The reports on what became of decisions, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request, Response

from services.auditor.answers import paged, rendered
from services.auditor.pages import Pages
from services.auditor.problems import wants_page
from services.auditor.trade_questions import FailedQuestion, PerformanceQuestion, TradeQuestion
from tradetrail.reports.connection import ReaderPool
from tradetrail.reports.executed import executed_report, executed_sheet
from tradetrail.reports.failed import failed_report, failed_sheet
from tradetrail.reports.performance import performance_report, performance_sheet


class TradeReports:
    """Answers from ``readers``, for browsers with ``pages``."""

    def __init__(self, readers: ReaderPool, pages: Pages) -> None:
        """Take what answers come from."""
        self._readers = readers
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
        with self._readers.connection() as connection:
            report = executed_report(connection, asked.chosen(), asked.limit, asked.after)
        return paged(request, report, executed_sheet, self._pages.executed)

    def failed(self, request: Request, asked: Annotated[FailedQuestion, Query()]) -> Response:
        """Return a page of failed decisions, newest first; the header Link leads to the next one."""
        with self._readers.connection() as connection:
            report = failed_report(connection, asked.chosen(), asked.limit, asked.after)
        return paged(request, report, failed_sheet, self._pages.failed)

    def performance(
        self, request: Request, asked: Annotated[PerformanceQuestion, Query()]
    ) -> Response:
        """Return how each strategy's signals fared and, apart from that, what their fills are worth."""
        with self._readers.connection() as connection:
            report = performance_report(connection, asked.chosen())
        if wants_page(request):
            return self._pages.performance(request, report)
        return rendered(request, report, performance_sheet)
