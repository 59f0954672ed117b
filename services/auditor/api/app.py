"""The auditor over HTTP: health, metrics, and reports as JSON, CSV or pages, by what the client accepts."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any

import psycopg
from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.auditor.api.acts.routes import ActsApi
from services.auditor.api.acts.threads import ActThreads
from services.auditor.api.entrance.gate import Gate
from services.auditor.api.entrance.identities import Identities
from services.auditor.api.entrance.limits import Limits
from services.auditor.api.entrance.request_log import RequestLog
from services.auditor.api.entrance.sign_in import SignIn
from services.auditor.api.negotiation import Form, wanted_form
from services.auditor.api.openapi import describe
from services.auditor.api.pages import STYLE, Pages
from services.auditor.api.problems import Problems
from services.auditor.api.reports.answers import Answers
from services.auditor.api.reports.evidence import EvidenceReports
from services.auditor.api.reports.oversight import OversightReports
from services.auditor.api.reports.questions import (
    DECISION,
    DeclinedQuestion,
    RunsQuestion,
    SectionsQuestion,
    form_asked,
)
from services.auditor.api.reports.trades import TradeReports
from services.auditor.progress import Progress
from tradetrail import __version__
from tradetrail.errors import NotRecorded
from tradetrail.events.generated import DeclineReason
from tradetrail.reports.counts import run_counts, symbols
from tradetrail.reports.declined import DECLINED
from tradetrail.reports.export import Sheet
from tradetrail.reports.known_at import known_at_export, known_at_report, known_at_sheet
from tradetrail.reports.paging import LIMIT_DEFAULT, LIMIT_MAX
from tradetrail.reports.runs import RUNS, RunStatus
from tradetrail.reports.symbol import By, symbol_report, symbol_sheet, symbol_span
from tradetrail.symbols import check_symbol
from tradetrail.tasks import DATA_SOURCES

_SYMBOL = Path(max_length=64, description="Symbol, such as AAPL or BRK.B.", examples=["AAPL"])
_FROM = Query(alias="from", description="First day, inclusive, New York.", examples=["2020-01-01"])
_TO = Query(alias="to", description="Last day, inclusive, New York.", examples=["2020-12-31"])
_BY = Query(description="Which day of a disclosure the period applies to.")
_LIMIT = Query(
    ge=1, le=LIMIT_MAX, description=f"Rows of each list, at most; {LIMIT_MAX} without it."
)
_AFTER = Query(description="The `next` of the page before; without it, the first page.")


class AuditApi:
    """The application and what its answers come from."""

    def __init__(
        self,
        answers: Answers,
        progress: Progress,
        ready_lag_age_s_max: float,
        identities: Identities | None,
        limits: Limits,
        acts: ActThreads | None = None,
    ) -> None:
        """Answer by ``answers`` those whom ``identities`` knows, or everyone, as often as ``limits`` allow.

        How far the audit is comes from ``progress``.
        """
        self._answers = answers
        self._progress = progress
        self._ready_lag_age_s_max = ready_lag_age_s_max
        self._pages = Pages(progress)
        self._identities = identities
        self._limits = limits
        self._acts = acts

    @property
    def access(self) -> str:
        """Return who may read: ``open`` for everyone who reaches it, or ``tokens``."""
        return "tokens" if self._identities else "open"

    def app(self) -> FastAPI:
        """Return the application."""
        # The usual documentation pages load their scripts from elsewhere, so only the description itself is served.
        app = FastAPI(
            title="tradetrail auditor", version=__version__, docs_url=None, redoc_url=None
        )
        app.get("/health", summary="Readiness, positions and lag")(self.health)
        app.get("/metrics", summary="Metrics for Prometheus")(self.metrics)
        app.get("/static/style.css", include_in_schema=False)(self.style)
        app.get("/reports/runs", summary="The story of every ingestion run")(self.runs)
        app.get("/reports/declined", summary="Why there was no trade")(self.declined)
        app.get("/reports/known-at/{decision_id}", summary="What was known at a decision")(
            self.known_at
        )
        get = partial(app.get, dependencies=[Depends(form_asked)])
        get("/", summary="Every symbol, and how much is recorded")(self.overview)
        get("/reports/symbol/{symbol}", summary="All activity of a symbol in a period")(self.symbol)
        EvidenceReports(self._answers, self._pages).add_to(app)
        OversightReports(self._answers, self._pages).add_to(app)
        TradeReports(self._answers, self._pages).add_to(app)
        if self._acts:
            ActsApi(self._acts, self._answers.readers).add_to(app)
        if self._identities:
            SignIn(self._identities, self._pages).add_to(app)
        describe(app)
        problems = Problems(self._pages.problem)
        problems.add_to(app)
        # What is added last is the first that a request meets.
        app.add_middleware(
            Gate, identities=self._identities, limits=self._limits, problems=problems
        )
        app.add_middleware(RequestLog, problems=problems)
        return app

    async def health(self) -> JSONResponse:
        """Tell whether the audit keeps up; 503 when it doesn't."""
        ready, content = self._progress.standing().report(self._ready_lag_age_s_max)
        content["access"] = self.access
        if self._identities and self._identities.is_broken:
            content["access_trouble"] = "nobody is let in: the tokens file can't be read"
        return JSONResponse(content, 200 if ready else 503)

    async def metrics(self) -> Response:
        """Return the metrics."""
        self._progress.standing()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def style(self) -> FileResponse:
        """Return the pages' style sheet."""
        return FileResponse(STYLE, media_type="text/css")

    def overview(self, request: Request) -> Response:
        """Return the page that lists every symbol."""
        return self._answers.report(
            request,
            {},
            lambda connection: {
                "symbols": symbols(connection),
                "counts": run_counts(connection),
            },
            lambda report: Sheet((), report["symbols"]),
            self._pages.of("overview.html"),
            forms=(Form.HTML, Form.JSON),
        )

    def symbol(
        self,
        request: Request,
        symbol: Annotated[str, _SYMBOL],
        first: Annotated[date | None, _FROM] = None,
        last: Annotated[date | None, _TO] = None,
        by: Annotated[By, _BY] = By.REPORTED,
        limit: Annotated[int | None, _LIMIT] = None,
        after: Annotated[str | None, _AFTER] = None,
    ) -> Response:
        """Return the symbol report; without a period, over everything that is recorded.

        The header Link leads to the next page, if one of the lists goes on.
        """
        symbol = check_symbol(symbol)

        def ask(connection: psycopg.Connection[Any]) -> dict[str, Any]:
            span = symbol_span(connection, symbol)
            if span is None:
                raise NotRecorded(
                    f"Nothing is recorded about {symbol}. / lists the symbols there are."
                )
            start, end = (
                first or min(span[0], last or span[0]),
                last or max(span[1], first or span[1]),
            )
            most = limit or _rows_of_each(request)
            return symbol_report(connection, symbol, start, end, by, limit=most, after=after)

        arguments = {
            "symbol": symbol,
            "from": first,
            "to": last,
            "by": by,
            "limit": limit,
            "after": after,
        }
        return self._answers.report(
            request,
            {name: value for name, value in arguments.items() if value is not None},
            ask,
            symbol_sheet,
            self._pages.of("symbol.html"),
        )

    def runs(self, request: Request, asked: Annotated[RunsQuestion, Query()]) -> Response:
        """Return a page of runs, newest first; the header Link leads to the next one."""
        page = self._pages.of("runs.html", tasks=DATA_SOURCES, statuses=RunStatus)
        return self._answers.listing(request, asked, RUNS, page)

    def declined(self, request: Request, asked: Annotated[DeclinedQuestion, Query()]) -> Response:
        """Return a page of declined signals, newest first; the header Link leads to the next one."""
        page = self._pages.of("declined.html", reasons=DeclineReason)
        return self._answers.listing(request, asked, DECLINED, page)

    def known_at(
        self,
        request: Request,
        decision_id: Annotated[str, DECISION],
        asked: Annotated[SectionsQuestion, Query()],
    ) -> Response:
        """Return what a decision, made or declined, could see, and nothing after it.

        The header Link leads to the next page, if one of the lists goes on.
        """
        arguments = {"decision_id": decision_id, **asked.arguments()}
        if asked.every:
            return self._answers.whole(
                request,
                arguments,
                "known-at",
                lambda connection: known_at_export(connection, decision_id),
            )
        limit = asked.limit or _rows_of_each(request)
        return self._answers.report(
            request,
            arguments,
            lambda connection: known_at_report(
                connection, decision_id, limit=limit, after=asked.after
            ),
            known_at_sheet,
            self._pages.of("known_at.html"),
            has_all_rows=True,
        )


def _rows_of_each(request: Request) -> int:
    """Return how many rows a report's lists have that is asked for without a limit: people don't read thousands."""
    return LIMIT_DEFAULT if wanted_form(request) is Form.HTML else LIMIT_MAX
