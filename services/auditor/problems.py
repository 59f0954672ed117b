"""Errors of the API as RFC 9457 problems; people's browsers get the same as a page. No stack trace leaves the house."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tradetrail.errors import NotRecorded, TradetrailError, Unreachable, UsageError

Page = Callable[[Request, int, str, str], Response]
"""Makes the page of a problem out of status, title and detail."""

log = structlog.get_logger(__name__)


def wants_page(request: Request) -> bool:
    """Tell whether the client prefers a page: it names text/html before, or without, application/json."""
    accept = request.headers.get("accept", "").lower()
    page, machine = accept.find("text/html"), accept.find("application/json")
    return page >= 0 and (machine < 0 or page < machine)


def add_problem_handlers(app: FastAPI, page: Page) -> None:
    """Answer every error of ``app`` as a problem."""

    def answer(request: Request, status: int, detail: str) -> Response:
        title = HTTPStatus(status).phrase
        if wants_page(request):
            return page(request, status, title, detail)
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": request.url.path,
        }
        return JSONResponse(content, status, media_type="application/problem+json")

    def usage(request: Request, error: Exception) -> Response:
        return answer(request, 400, str(error))

    def missing(request: Request, error: Exception) -> Response:
        return answer(request, 404, str(error))

    def invalid(request: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        return answer(request, 422, "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in found))

    def refused(request: Request, error: Exception) -> Response:
        known = error if isinstance(error, HTTPException) else HTTPException(500)
        return answer(request, known.status_code, str(known.detail))

    def away(request: Request, error: Exception) -> Response:
        log.warning("a request could not be answered", path=request.url.path, error=str(error))
        return answer(request, 503, "The audit database does not answer; try again in a moment.")

    app.add_exception_handler(UsageError, usage)
    app.add_exception_handler(NotRecorded, missing)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Unreachable, away)
    app.add_exception_handler(TradetrailError, away)
