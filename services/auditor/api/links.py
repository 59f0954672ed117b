"""Where a report's answer leads on: its next page, and the same report as a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from fastapi import Request

from services.auditor.api.negotiation import FORM_PARAMETER, Form

# What a URL says of the page and its form; the rest says which rows.
_OF_THE_PAGE = frozenset({"limit", "after", "all", FORM_PARAMETER})


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses, without the host.

    ``files`` are of all the rows where ``has_all_rows``, else of the report without its page's bounds.
    """

    following: str | None = None
    files: Mapping[Form, str] = field(default_factory=dict)
    has_all_rows: bool = False


NOWHERE = Links()


def links_of(
    request: Request, following: str | None, forms: Iterable[Form], *, has_all_rows: bool
) -> Links:
    """Return where the report at ``request`` leads: its filters stay, and ``following`` is the cursor of its next page.

    ``forms`` are those that it can be had in; ``has_all_rows`` tells whether ``all=true`` asks for every row.
    """
    asked = [(name, text) for name, text in request.query_params.multi_items() if text]
    chosen = [(name, text) for name, text in asked if name not in _OF_THE_PAGE]
    whole = [*chosen, ("all", "true")] if has_all_rows else chosen
    files = {form: _address(request, [*whole, (FORM_PARAMETER, form)]) for form in forms}
    onward = None
    if following:
        page = [(name, text) for name, text in asked if name != "after"]
        onward = _address(request, [*page, ("after", following)])
    return Links(onward, files, has_all_rows)


def _address(request: Request, query: list[tuple[str, str]]) -> str:
    return f"{quote(request.scope['path'])}?{urlencode(query)}"
