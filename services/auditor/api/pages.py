"""Server-rendered pages: readable without JavaScript, nothing loaded from elsewhere, times in New York and UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from services.auditor.api.access import reader_of
from services.auditor.progress import Progress
from tradetrail.events.generated import DeclineReason, FailureReason
from tradetrail.reports.encode import instant, plain, to_json
from tradetrail.reports.runs import RunStatus
from tradetrail.sessions import NEW_YORK
from tradetrail.tasks import DATA_SOURCES

_HERE = Path(__file__).parent
STYLE = _HERE / "static" / "style.css"


class Pages:
    """Renders the templates. Every page names the last audited offsets and the lag."""

    def __init__(self, progress: Progress) -> None:
        """Load the templates."""
        self._progress = progress
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(number=number, instant=two_times, day=day, pretty=pretty)

    def overview(
        self, request: Request, symbols: list[dict[str, Any]], counts: dict[str, dict[str, int]]
    ) -> Response:
        """Return the page that lists every symbol."""
        return self._render("overview.html", request, symbols=symbols, counts=counts)

    def symbol(self, request: Request, report: dict[str, Any], following: str | None) -> Response:
        """Return the page of a symbol report; ``following`` as for runs."""
        return self._render("symbol.html", request, report=report, following=following)

    def runs(self, request: Request, report: dict[str, Any], following: str | None) -> Response:
        """Return the page of a run report; ``following`` is the address of the next page, if there is one."""
        return self._render(
            "runs.html",
            request,
            report=report,
            following=following,
            tasks=DATA_SOURCES,
            statuses=RunStatus,
        )

    def declined(self, request: Request, report: dict[str, Any], following: str | None) -> Response:
        """Return the page of declined signals; ``following`` as for runs."""
        return self._render(
            "declined.html", request, report=report, following=following, reasons=DeclineReason
        )

    def executed(self, request: Request, report: dict[str, Any], following: str | None) -> Response:
        """Return the page of executed trades; ``following`` as for runs."""
        return self._render("executed.html", request, report=report, following=following)

    def failed(self, request: Request, report: dict[str, Any], following: str | None) -> Response:
        """Return the page of failed decisions; ``following`` as for runs."""
        return self._render(
            "failed.html", request, report=report, following=following, reasons=FailureReason
        )

    def performance(self, request: Request, report: dict[str, Any]) -> Response:
        """Return the page of how strategies fared."""
        return self._render("performance.html", request, report=report)

    def known_at(self, request: Request, report: dict[str, Any]) -> Response:
        """Return the page of what was known at a decision."""
        return self._render("known_at.html", request, report=report)

    def report(
        self, template: str, request: Request, report: dict[str, Any], **values: Any
    ) -> Response:
        """Return the page of a report by the template of that name; ``values`` are what else it shows."""
        return self._render(template, request, report=report, **values)

    def sign_in(self, request: Request, status: int, detail: str, onward: str) -> Response:
        """Return the page to sign in on, which says ``detail`` and leads ``onward``."""
        return self._render(
            "sign_in.html", request, status_code=status, detail=detail, onward=onward
        )

    def problem(self, request: Request, status: int, title: str, detail: str) -> Response:
        """Return the page of an error; of one that signing in mends, the page to do so."""
        if status == HTTPStatus.UNAUTHORIZED and request.method == "GET":
            url = request.url
            return self.sign_in(request, status, detail, f"{url.path}?{url.query}".rstrip("?"))
        return self._render(
            "problem.html", request, status_code=status, status=status, title=title, detail=detail
        )

    def _render(
        self, name: str, request: Request, *, status_code: int = 200, **values: Any
    ) -> Response:
        template = self._environment.get_template(name)
        standing = self._progress.standing()
        return HTMLResponse(
            template.render(
                path=request.url.path, standing=standing, reader=reader_of(request), **values
            ),
            status_code,
        )


def number(value: Decimal | int | None) -> str:
    """Return a number with thousands apart, exactly; a dash for none."""
    if value is None:
        return "–"
    whole, dot, fraction = plain(Decimal(value)).partition(".")
    return f"{int(whole):,}{dot}{fraction}"


def two_times(value: datetime | None) -> Markup:
    """Return an instant as New York's wall time with UTC beneath it; a dash for none."""
    if value is None:
        return Markup("–")
    local = value.astimezone(NEW_YORK)
    universal = value.astimezone(UTC)
    return Markup(
        '<time datetime="{}">{} <abbr title="New York">{}</abbr><small>{} UTC</small></time>'
    ).format(
        instant(value),
        local.strftime("%Y-%m-%d %H:%M:%S"),
        local.tzname() or "",
        universal.strftime("%Y-%m-%d %H:%M:%S"),
    )


def day(value: date | None) -> str:
    """Return a day; a dash for none."""
    return "–" if value is None else value.isoformat()


def pretty(value: Any) -> str:
    """Return a value as indented JSON."""
    return to_json(value, indent=2)
