"""The reports on one trade's whole trail and on what needs a person's eye, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response

from services.auditor.answers import paged, rendered
from services.auditor.oversight_questions import ActsQuestion, UnresolvedQuestion
from services.auditor.pages import Pages
from services.auditor.problems import wants_page
from services.auditor.questions import DECISION
from tradetrail.events.generated import OperatorAct
from tradetrail.reports.connection import ReaderPool
from tradetrail.reports.decision import decision_report, decision_sheet
from tradetrail.reports.operator_acts import operator_acts_report, operator_acts_sheet
from tradetrail.reports.portfolio import portfolio_report, portfolio_sheet
from tradetrail.reports.unresolved import unresolved_report, unresolved_sheet


class OversightReports:
    """Answers from ``readers``, for browsers with ``pages``."""

    def __init__(self, readers: ReaderPool, pages: Pages) -> None:
        """Take what answers come from."""
        self._readers = readers
        self._pages = pages

    def add_to(self, app: FastAPI) -> None:
        """Add the routes."""
        app.get("/reports/decision/{decision_id}", summary="The full trail of one trade")(
            self.decision
        )
        app.get("/reports/unresolved", summary="Orders that are not in a definite state")(
            self.unresolved
        )
        app.get("/reports/operator-acts", summary="Who did what, and why")(self.operator_acts)
        app.get("/reports/portfolio", summary="What is held, and the account as last told")(
            self.portfolio
        )

    def decision(self, request: Request, decision_id: Annotated[str, DECISION]) -> Response:
        """Return a decision, its attempts and checks, what it rests on, and every step with its time."""
        with self._readers.connection() as connection:
            report = decision_report(connection, decision_id)
        if wants_page(request):
            return self._pages.report("decision.html", request, report)
        return rendered(request, report, decision_sheet)

    def unresolved(
        self, request: Request, asked: Annotated[UnresolvedQuestion, Query()]
    ) -> Response:
        """Return a page of unresolved orders, oldest first; the header Link leads to the next one."""
        with self._readers.connection() as connection:
            report = unresolved_report(connection, asked.chosen(), asked.limit, asked.after)
        return paged(request, report, unresolved_sheet, self._page("unresolved.html"))

    def operator_acts(self, request: Request, asked: Annotated[ActsQuestion, Query()]) -> Response:
        """Return a page of people's acts, newest first; the header Link leads to the next one."""
        with self._readers.connection() as connection:
            report = operator_acts_report(connection, asked.chosen(), asked.limit, asked.after)
        page = self._page("operator_acts.html", acts=OperatorAct)
        return paged(request, report, operator_acts_sheet, page)

    def portfolio(self, request: Request) -> Response:
        """Return positions, account and reservations, and what is missing of them."""
        with self._readers.connection() as connection:
            report = portfolio_report(connection)
        if wants_page(request):
            return self._pages.report("portfolio.html", request, report)
        return rendered(request, report, portfolio_sheet)

    def _page(
        self, template: str, **values: Any
    ) -> Callable[[Request, dict[str, Any], str | None], Response]:
        """Return what makes the page of a listing out of it and the address of its next page."""
        return lambda request, report, following: self._pages.report(
            template, request, report, following=following, **values
        )
