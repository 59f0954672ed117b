"""Errors of the API as RFC 9457 problems; people's browsers get the same as a page. No stack trace leaves the house."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.auditor.api.negotiation import VARY, wants_page
from tradetrail.errors import NotRecorded, TradetrailError, Unreachable, UsageError
from tradetrail.reports.encode import to_json

MEDIA_TYPE = "application/problem+json"
# The database is back, or a connection free, within seconds as a rule.
_RETRY_AFTER_S = 5

Page = Callable[[Request, int, str, str], Response]
"""Makes the page of a problem out of status, title and detail."""

log = structlog.get_logger(__name__)


class Problem(HTTPException):
    """A refusal that tells more than status and detail: ``members``, by name, beside those that every problem has."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str], members: Mapping[str, Any]
    ) -> None:
        """Refuse with ``status``."""
        super().__init__(status, detail, headers)
        self.members = members


class Problems:
    """Answers what went wrong."""

    def __init__(self, page: Page) -> None:
        """Show problems to people by ``page``."""
        self._page = page

    def answer(
        self,
        request: Request,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> Response:
        """Return the answer of a problem."""
        title = HTTPStatus(status).phrase
        if wants_page(request):
            page = self._page(request, status, title, detail)
            page.headers.update(VARY | dict(headers or {}))
            return page
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": request.scope["path"],
            "request_id": request.state.request_id,
        }
        text = to_json({**(members or {}), **content})
        return Response(text, status, VARY | dict(headers or {}), MEDIA_TYPE)

    def of(self, request: Request, refusal: HTTPException) -> Response:
        """Return the answer of a refusal."""
        members = refusal.members if isinstance(refusal, Problem) else None
        detail = str(refusal.detail)
        return self.answer(request, refusal.status_code, detail, refusal.headers, members)

    def unexpected(self, request: Request) -> Response:
        """Return the answer when we are wrong: the log has the rest, under the request's id."""
        told = f"This is our mistake. Tell whoever runs tradetrail the request id {request.state.request_id}."
        return self.answer(request, 500, told)

    def add_to(self, app: FastAPI) -> None:
        """Answer every error of ``app`` as a problem."""
        app.add_exception_handler(UsageError, self._usage)
        app.add_exception_handler(NotRecorded, self._missing)
        app.add_exception_handler(RequestValidationError, self._invalid)
        app.add_exception_handler(HTTPException, self._refused)
        app.add_exception_handler(Unreachable, self._away)
        app.add_exception_handler(TradetrailError, self._away)

    def _usage(self, request: Request, error: Exception) -> Response:
        return self.answer(request, 400, str(error))

    def _missing(self, request: Request, error: Exception) -> Response:
        return self.answer(request, 404, str(error))

    def _invalid(self, request: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        return self.answer(request, 422, "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in found))

    def _refused(self, request: Request, error: Exception) -> Response:
        return self.of(request, error if isinstance(error, HTTPException) else HTTPException(500))

    def _away(self, request: Request, error: Exception) -> Response:
        log.warning("a request could not be answered", error=str(error))
        told = "The audit database does not answer; try again in a moment."
        return self.answer(request, 503, told, {"Retry-After": str(_RETRY_AFTER_S)})
