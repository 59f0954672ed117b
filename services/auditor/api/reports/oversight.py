"""The reports on one trade's whole trail and on what needs a person's eye, over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from services.auditor.api.pages import Pages
from services.auditor.api.reports.answers import Answers
from services.auditor.api.reports.oversight_questions import (
    ActsQuestion,
    ReadsQuestion,
    UnresolvedQuestion,
)
from services.auditor.api.reports.questions import DECISION, form_asked
from tradetrail.events.generated import OperatorAct, ReadOutcome
from tradetrail.reports.decision import decision_report, decision_sheet
from tradetrail.reports.operator_acts import OPERATOR_ACTS
from tradetrail.reports.portfolio import portfolio_report, portfolio_sheet
from tradetrail.reports.reads import READS
from tradetrail.reports.unresolved import UNRESOLVED


class OversightReports:
    """Answers by ``answers``, for browsers with ``pages``."""

    def __init__(self, answers: Answers, pages: Pages) -> None:
        """Take what answers come from."""
        self._answers = answers
        self._pages = pages

    def add_to(self, app: FastAPI) -> None:
        """Add the routes."""
        app.get("/reports/unresolved", summary="Orders that are not in a definite state")(
            self.unresolved
        )
        app.get("/reports/operator-acts", summary="Who did what, and why")(self.operator_acts)
        app.get("/reports/reads", summary="What was read under the compliance role")(self.reads)
        get = partial(app.get, dependencies=[Depends(form_asked)])
        get("/reports/decision/{decision_id}", summary="The full trail of one trade")(self.decision)
        get("/reports/portfolio", summary="What is held, and the account as last told")(
            self.portfolio
        )

    def decision(self, request: Request, decision_id: Annotated[str, DECISION]) -> Response:
        """Return a decision, its attempts and checks, what it rests on, and every step with its time."""
        return self._answers.report(
            request,
            {"decision_id": decision_id},
            lambda connection: decision_report(connection, decision_id),
            decision_sheet,
            self._pages.of("decision.html"),
        )

    def unresolved(
        self, request: Request, asked: Annotated[UnresolvedQuestion, Query()]
    ) -> Response:
        """Return a page of unresolved orders, oldest first; the header Link leads to the next one."""
        return self._answers.listing(request, asked, UNRESOLVED, self._pages.of("unresolved.html"))

    def operator_acts(self, request: Request, asked: Annotated[ActsQuestion, Query()]) -> Response:
        """Return a page of people's acts, newest first; the header Link leads to the next one."""
        page = self._pages.of("operator_acts.html", acts=OperatorAct)
        return self._answers.listing(request, asked, OPERATOR_ACTS, page)

    def reads(self, request: Request, asked: Annotated[ReadsQuestion, Query()]) -> Response:
        """Return a page of reads under the compliance role, newest first; the header Link leads to the next one."""
        page = self._pages.of("reads.html", outcomes=ReadOutcome)
        return self._answers.listing(request, asked, READS, page)

    def portfolio(self, request: Request) -> Response:
        """Return positions, account and reservations, and what is missing of them."""
        return self._answers.report(
            request,
            {},
            portfolio_report,
            portfolio_sheet,
            self._pages.of("portfolio.html"),
        )
