"""Which form of an answer a client gets by what it says it accepts."""

from __future__ import annotations

import pytest
from fastapi import HTTPException
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from services.auditor.api import negotiation
from services.auditor.api.negotiation import FILE_FORMS, Form, best_type, wanted_form, wants_page

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
PARQUET = "application/vnd.apache.parquet"


def asked(accept: str | None, query: str = "") -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode("latin-1"))]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Form.JSON),
        ("", Form.JSON),
        ("*/*", Form.JSON),
        ("application/*", Form.JSON),
        (BROWSER, Form.HTML),
        ("text/*", Form.HTML),
        ("text/csv", Form.CSV),
        ("TEXT/CSV", Form.CSV),
        ("text/csv; charset=utf-8; header=present", Form.CSV),
        (PARQUET, Form.PARQUET),
        # By quality, not by what the text contains.
        ("text/csv;q=0.1, application/json", Form.JSON),
        ("text/html;q=0.4, text/csv;q=0.5", Form.CSV),
        ("text/csv;q=0, */*;q=0.1", Form.JSON),
        ("application/json;q=0, */*", Form.HTML),
        # The most exact range counts, wherever it stands.
        ("*/*, application/json;q=0.1, text/*;q=0.2", Form.PARQUET),
        ("text/*;q=0.1, text/csv;q=0.9, */*;q=0.5", Form.CSV),
        # Liked equally: the more exact name, then the first.
        ("*/*, text/csv", Form.CSV),
        ("text/html, application/json", Form.HTML),
        ("application/json, text/html", Form.JSON),
        # What can't be read is as if it were not there.
        ("nonsense, text/csv;q=high, application/json;q=0.3", Form.JSON),
        ("text/csv;q=1.5, text/html;q=0.2", Form.HTML),
    ],
)
def test_the_form_that_is_liked_best(accept: str | None, form: Form) -> None:
    assert wanted_form(asked(accept)) is form


def test_the_form_that_the_url_names_comes_before_what_is_accepted() -> None:
    assert wanted_form(asked(BROWSER, "format=csv")) is Form.CSV
    assert wanted_form(asked("text/csv", "format=html")) is Form.HTML
    assert wanted_form(asked("text/csv", "format=")) is Form.CSV
    with pytest.raises(HTTPException, match="'html', only as json, csv, parquet") as refused:
        wanted_form(asked(BROWSER, "format=html"), FILE_FORMS)
    assert refused.value.status_code == 406


@pytest.mark.parametrize(
    "accept", ["image/png", "text/plain;q=1", "text/csv;q=0", "*/*;q=0", "nonsense", "text/csv;q=x"]
)
def test_when_nothing_fits_it_is_a_clear_problem(accept: str) -> None:
    with pytest.raises(HTTPException) as refused:
        wanted_form(asked(accept))
    assert refused.value.status_code == 406
    assert "application/json, text/html, text/csv" in refused.value.detail
    assert (refused.value.headers or {})["Vary"] == "Accept"


def test_what_is_only_a_file_is_no_page() -> None:
    assert wanted_form(asked(BROWSER), FILE_FORMS) is Form.JSON
    with pytest.raises(HTTPException):
        wanted_form(asked("text/html"), FILE_FORMS)


def test_without_pyarrow_there_is_no_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negotiation, "_has_parquet", lambda: False)
    assert wanted_form(asked(f"{PARQUET}, text/csv;q=0.1")) is Form.CSV
    with pytest.raises(HTTPException, match="pyarrow"):
        wanted_form(asked(PARQUET))


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (None, False),
        (BROWSER, True),
        ("text/csv", False),
        ("text/html", True),
        ("text/html;q=0.5, application/problem+json", False),
        ("application/json, text/html", False),
        ("image/png", False),
    ],
)
def test_problems_are_pages_for_those_who_like_html_better(accept: str | None, page: bool) -> None:
    assert wants_page(asked(accept)) is page


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x00")))
def test_any_header_is_answered(accept: str) -> None:
    offered = ("application/json", "text/html")
    assert best_type(accept, offered) in (*offered, None)
