"""What every request has: an id, a line in the log, headers that protect its reader, an answer even when we fail."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from fastapi import Request
from prometheus_client import Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.auditor.api.access import ANYONE
from services.auditor.api.problems import Problems
from services.auditor.api.reports.exports import CutOff

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # To ourselves browsers say where a form was sent from; to others nothing.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
REQUEST_SECONDS = Histogram(
    "tradetrail_api_request_seconds",
    "Time to answer a request, to the last byte, by status.",
    ["status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
# What machines ask every few seconds; a line for each would bury the others.
PROBES = frozenset({"/health", "/metrics"})
# What ids of tracing systems look like; nothing that could break a line of a log.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")

log = structlog.get_logger(__name__)


class RequestLog:
    """The outermost step of every request."""

    def __init__(self, app: ASGIApp, problems: Problems) -> None:
        """Pass requests on to ``app``."""
        self._app = app
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = _id_of(request)
        request.state.request_id, request.state.reader = request_id, ANYONE
        began_at, status = time.perf_counter(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_on)
            except CutOff:
                # Told where it happened.
                raise
            except Exception:
                log.exception("a request failed")
                if status:
                    # Half an answer is out: only a broken connection tells that the rest is missing.
                    raise
                await self._problems.unexpected(request)(scope, receive, send_on)
            finally:
                _tell(request, status, time.perf_counter() - began_at)


def _tell(request: Request, status: int, seconds: float) -> None:
    REQUEST_SECONDS.labels(str(status)).observe(seconds)
    say = log.debug if request.scope["path"] in PROBES else log.info
    # The path as it was sent, which has no line breaks; the query may hold what somebody put there by mistake.
    path = request.scope.get("raw_path", b"").decode("ascii", "backslashreplace")
    say(
        "request",
        method=request.method,
        path=path,
        status=status,
        duration_ms=round(seconds * 1_000, 1),
        reader=request.state.reader.name or None,
    )


def _id_of(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _ID.fullmatch(given) else uuid4().hex
