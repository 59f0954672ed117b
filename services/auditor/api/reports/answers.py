"""A report as the client wants it: page, JSON, CSV or Parquet; a listing's next page as a link, or all its rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import psycopg
from fastapi import Request, Response

from services.auditor.api.links import links_of
from services.auditor.api.negotiation import (
    FILE_FORMS,
    MEDIA_TYPES,
    VARY,
    Form,
    forms_there_are,
    wanted_form,
)
from services.auditor.api.pages import Page
from services.auditor.api.reports.exports import Exports, StreamedAnswer
from services.auditor.api.reports.reads import Reads
from tradetrail.errors import NotRecorded
from tradetrail.events.generated import ReadOutcome
from tradetrail.reports.connection import ReaderPool
from tradetrail.reports.encode import json_bytes
from tradetrail.reports.export import FileForm, OpenWhole, Row, Sheet, to_csv, to_parquet
from tradetrail.reports.listing import Listing

Report = dict[str, Any]
Arguments = Mapping[str, Any]
Ask = Callable[[psycopg.Connection[Any]], Report]
MakeSheet = Callable[[Report], Sheet]

Chosen = TypeVar("Chosen")
Chosen_co = TypeVar("Chosen_co", covariant=True)
# What a file's name may have; the rest becomes one dash.
_STRANGE = re.compile(r"[^A-Za-z0-9.]+")
_FILE_NAME_MAX = 150


class Question(Protocol[Chosen_co]):
    """What a listing is asked, as it stands in the URL's query."""

    @property
    def limit(self) -> int:
        """Return how many rows a page has, at most."""

    @property
    def after(self) -> str | None:
        """Return the cursor of the page before."""

    @property
    def every(self) -> bool:
        """Tell whether all rows are asked for, not a page."""

    def chosen(self) -> Chosen_co:
        """Return which rows."""

    def arguments(self) -> Arguments:
        """Return all that is asked, by the names it has in the URL."""


class Answers:
    """Answers from ``readers``, exports by ``exports``; ``reads`` records what must be recorded."""

    def __init__(self, readers: ReaderPool, exports: Exports, reads: Reads) -> None:
        """Take what answers come from."""
        self.readers = readers
        self._exports = exports
        self._reads = reads

    def report(
        self,
        request: Request,
        arguments: Arguments,
        ask: Ask,
        sheet: MakeSheet,
        page: Page,
        forms: Sequence[Form] = tuple(MEDIA_TYPES),
        *,
        has_all_rows: bool = False,
    ) -> Response:
        """Answer with the report that ``ask`` makes, in the form among ``forms`` that the client wants.

        If it goes on, its ``next`` is the cursor that the header Link names as an address. ``has_all_rows`` tells
        whether ``all=true`` asks for every row.
        """
        form = wanted_form(request, forms)
        read = self._reads.of(request, form, arguments)
        try:
            with self.readers.connection() as connection:
                report = ask(connection)
        except NotRecorded:
            self._reads.record(read, ReadOutcome.NOTHING_RECORDED, 0)
            raise
        files = forms_there_are([each for each in FILE_FORMS if each in forms])
        links = links_of(request, report.get("next"), files, has_all_rows=has_all_rows)
        flat = sheet(report)
        flat_rows = _CountedRows(flat.rows)
        if form is Form.HTML:
            answer = page(request, report, links)
        else:
            answer = _file(form, arguments, request, report, Sheet(flat.columns, flat_rows))
            if links.following:
                answer.headers["Link"] = f'<{links.following}>; rel="next"'
        answer.headers.update(VARY)
        if read is not None:
            self._reads.record(read, ReadOutcome.ANSWERED, flat_rows.total())
        return answer

    def listing(
        self,
        request: Request,
        asked: Question[Chosen],
        listing: Listing[Chosen],
        page: Page,
    ) -> Response:
        """Answer with a page of ``listing``, or with all its rows where the question says so."""
        if asked.every:
            return self.whole(
                request,
                asked.arguments(),
                listing.name,
                lambda connection: listing.export(connection, asked.chosen()),
            )

        as_json = wanted_form(request, tuple(MEDIA_TYPES)) is Form.JSON

        def ask(connection: psycopg.Connection[Any]) -> Report:
            return listing.report(
                connection, asked.chosen(), asked.limit, asked.after, as_json=as_json
            )

        return self.report(request, asked.arguments(), ask, listing.sheet, page, has_all_rows=True)

    def whole(
        self, request: Request, arguments: Arguments, name: str, open_whole: OpenWhole
    ) -> Response:
        """Answer with all rows of the report ``name``, streamed."""
        form = wanted_form(request, FILE_FORMS)
        read = self._reads.of(request, form, arguments)
        parts = self._exports.parts(name, open_whole, FileForm(form.value), read)
        headers = VARY | _saved_as(form, arguments, request)
        try:
            return StreamedAnswer(parts, MEDIA_TYPES[form], headers)
        except NotRecorded:
            self._reads.record(read, ReadOutcome.NOTHING_RECORDED, 0)
            raise


class _CountedRows:
    """Rows that are gone through once, by a file that is made of them or else only to be counted."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._left = iter(rows)
        self._taken = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._left:
            self._taken += 1
            yield row

    def total(self) -> int:
        """Return how many there are; those that nobody took are gone then."""
        return self._taken + sum(1 for _ in self._left)


def _file(
    form: Form, arguments: Arguments, request: Request, report: Report, flat: Sheet
) -> Response:
    if form is Form.JSON:
        return Response(json_bytes(report), media_type=MEDIA_TYPES[form])
    content = to_csv(flat) if form is Form.CSV else to_parquet(flat)
    return Response(content, 200, _saved_as(form, arguments, request), MEDIA_TYPES[form])


def _saved_as(form: Form, arguments: Arguments, request: Request) -> dict[str, str]:
    """Return the header that gives a file its name: the report's, with its period if it has one."""
    of = (request.url.path.removeprefix("/reports/"), arguments.get("from"), arguments.get("to"))
    words = (_STRANGE.sub("-", str(word)).strip("-.") for word in of if word)
    name = "_".join(words)[:_FILE_NAME_MAX]
    return {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
