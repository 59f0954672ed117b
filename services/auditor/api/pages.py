"""Server-rendered pages: readable without JavaScript, nothing loaded from elsewhere, times in New York and UTC."""

from __future__ import annotations

from collections.abc import Callable
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
from services.auditor.api.links import NOWHERE, Links
from services.auditor.progress import Progress
from tradetrail.reports.encode import instant, plain, to_json
from tradetrail.sessions import NEW_YORK

_HERE = Path(__file__).parent
STYLE = _HERE / "static" / "style.css"

Page = Callable[[Request, dict[str, Any], Links], Response]
"""Makes the page of a report that leads on as the last says."""


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

    def of(self, template: str, **values: Any) -> Page:
        """Return what makes a report's page by the template of that name; ``values`` are what else it shows."""
        return lambda request, report, links: self._render(
            template, request, report=report, links=links, **values
        )

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
        self,
        name: str,
        request: Request,
        *,
        status_code: int = 200,
        links: Links = NOWHERE,
        **values: Any,
    ) -> Response:
        template = self._environment.get_template(name)
        standing = self._progress.standing()
        return HTMLResponse(
            template.render(
                path=request.url.path,
                standing=standing,
                reader=reader_of(request),
                links=links,
                **values,
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
