"""A report as the client wants it: a page, CSV or JSON; a listing's next page as a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from services.auditor.problems import wants_page
from tradetrail.reports.encode import to_json
from tradetrail.reports.export import Sheet, to_csv


def paged(
    request: Request,
    report: dict[str, Any],
    sheet: Callable[[dict[str, Any]], Sheet],
    page: Callable[[Request, dict[str, Any], str | None], Response],
) -> Response:
    """Answer with one page of a listing; the header Link leads to the next one, if there is one."""
    following = None
    if report["next"]:
        url = request.url.include_query_params(after=report["next"])
        following = f"{url.path}?{url.query}"
    if wants_page(request):
        return page(request, report, following)
    answer = rendered(request, report, sheet)
    if following:
        answer.headers["Link"] = f'<{following}>; rel="next"'
    return answer


def rendered(
    request: Request, report: dict[str, Any], sheet: Callable[[dict[str, Any]], Sheet]
) -> Response:
    """Answer with CSV where the client asks for it, else JSON."""
    if "text/csv" in request.headers.get("accept", ""):
        return Response(to_csv(sheet(report)), media_type="text/csv")
    return as_json(report)


def as_json(content: Any) -> Response:
    """Answer with JSON, its decimals exact."""
    return Response(to_json(content), media_type="application/json")
