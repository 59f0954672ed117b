"""A report of many rows: in pages, or whole in bounded memory; either way by the same query, row by row the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import psycopg

from tradetrail.reports.encode import written
from tradetrail.reports.export import FileForm, Sheet, csv_parts, json_parts, parquet_parts
from tradetrail.reports.paging import LIMIT_DEFAULT, cursor_behind, cut, page_arguments
from tradetrail.reports.queries import is_long, many_rows

Report = dict[str, Any]
Chosen = TypeVar("Chosen")
Connection = psycopg.Connection[Any]

# Rows of an export that are held at once: some megabytes. More saves little: a page costs milliseconds to begin.
EXPORT_PAGE_ROWS = 1_000
# Whose reader pauses longer has gone for lunch: the open transaction would hold back vacuuming.
EXPORT_IDLE_TIMEOUT_MS = 300_000
_OF_EXPORT = {
    "idle_in_transaction_session_timeout": str(EXPORT_IDLE_TIMEOUT_MS),
    # A plan made once for all pages could not know that a page begins where the one before ended.
    "plan_cache_mode": "force_custom_plan",
}


def prepare_export(connection: Connection) -> None:
    """Set up the transaction under way for an export, until it ends."""
    for name, value in _OF_EXPORT.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))


def _as_found(_connection: Connection, found: list[Report]) -> list[Report]:
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[Chosen]):
    """How a report of many rows is made.

    ``name`` is the key of its rows, and of their number in the totals; ``columns`` are those of its flat forms. Its
    order is by the columns ``at`` and ``key``. ``arguments`` turns filters into a query's arguments and raises
    UsageError for what can't be; ``head`` gives all but the rows, which don't depend on the page; ``query`` finds the
    rows, and ``complete`` adds to them what other queries know. The head's lists ``besides`` are rows of the flat
    forms too, behind the others; a column ``section`` then says which is which.
    """

    name: str
    columns: tuple[str, ...]
    at: str
    key: str
    arguments: Callable[[Chosen], Report]
    head: Callable[[Connection, Chosen, Report], Report]
    query: str
    complete: Callable[[Connection, list[Report]], list[Report]] = _as_found
    besides: tuple[str, ...] = ()

    def report(
        self,
        connection: Connection,
        chosen: Chosen,
        limit: int = LIMIT_DEFAULT,
        after: str | None = None,
        *,
        as_json: bool = False,
    ) -> Report:
        """Return a page: what was asked, the totals of all that ``chosen`` lets through, the rows and the next cursor.

        ``after`` is the ``next`` of the page before; what begins meanwhile shifts no later page. With ``as_json`` the
        report is good for ``json_bytes`` alone: rows of a long page are written while the database sends the others.
        Raises UsageError for a limit out of bounds and for a period, cursor or name that can't be, NotRecorded for what
        never was.
        """
        arguments, page = self.arguments(chosen), page_arguments(limit, after)
        # One state of the database for the page, what completes it, and the sums.
        with connection.transaction():
            head = self.head(connection, chosen, arguments)
            # Nothing else may look into the rows of a written page, nor ask anything before its last one.
            needs_rows = self.besides or self.complete is not _as_found
            is_written = as_json and is_long(page["rows_max"]) and not needs_rows
            take = self._written_page if is_written else self._page
            shown, following = take(connection, arguments | page, limit)
        return {**head, "next": following, self.name: shown}

    def sheet(self, report: Report) -> Sheet:
        """Return a page's rows, flat; what is a list or an object is JSON."""
        parts = self.flat(report, [report[self.name]])
        return Sheet(self.columns, (row for part in parts for row in part))

    @contextmanager
    def export(self, connection: Connection, chosen: Chosen) -> Iterator[Export]:
        """Give all rows that ``chosen`` lets through, of one state of the database, a few at a time.

        Raises as ``report`` does, before there is an export. Its reader has EXPORT_IDLE_TIMEOUT_MS for a part.
        """
        arguments = self.arguments(chosen)
        with connection.transaction():
            prepare_export(connection)
            head = self.head(connection, chosen, arguments)
            yield Export(self, head, self._pages(connection, arguments))

    def flat(self, head: Report, pages: Iterable[list[Report]]) -> Iterator[list[Report]]:
        """Yield the rows of ``pages`` as the flat forms have them, and then those besides them."""
        for page in pages:
            yield [{"section": self.name, **row} for row in page] if self.besides else page
        for name in self.besides:
            yield [{"section": name, **row} for row in head[name]]

    def _pages(self, connection: Connection, arguments: Report) -> Iterator[list[Report]]:
        after: str | None = None
        while True:
            page = page_arguments(EXPORT_PAGE_ROWS, after)
            shown, after = self._page(connection, arguments | page, EXPORT_PAGE_ROWS)
            yield shown
            if after is None:
                return

    def _page(
        self, connection: Connection, arguments: Mapping[str, Any], limit: int
    ) -> tuple[list[Report], str | None]:
        found = list(many_rows(connection, self.query, arguments))
        shown, following = cut(found, limit, at=self.at, key=self.key)
        return self.complete(connection, shown), following

    def _written_page(
        self, connection: Connection, arguments: Mapping[str, Any], limit: int
    ) -> tuple[list[Any], str | None]:
        shown: list[Any] = []
        last: Report = {}
        following = None
        for row in many_rows(connection, self.query, arguments):
            if len(shown) < limit:
                shown.append(written(row))
                last = row
            else:
                following = cursor_behind(last, at=self.at, key=self.key)
        return shown, following


class Export:
    """All rows of a listing, to be gone through once."""

    def __init__(self, listing: Listing[Any], head: Report, pages: Iterator[list[Report]]) -> None:
        """Give ``pages`` under ``head``."""
        self.name = listing.name
        self.head = head
        self.rows_total: int = head["totals"][listing.name]
        self.rows_done = 0
        self._listing = listing
        self._pages = pages

    def parts(self, form: FileForm) -> Iterator[bytes]:
        """Yield all rows in the form that a page has them in, part by part."""
        match form:
            case FileForm.JSON:
                return json_parts({**self.head, "next": None}, self.name, self._counted())
            case FileForm.CSV:
                return csv_parts(self._listing.columns, self._flat())
            case FileForm.PARQUET:
                return parquet_parts(self._listing.columns, self._flat())

    def _counted(self) -> Iterator[list[Report]]:
        for page in self._pages:
            yield page
            self.rows_done += len(page)

    def _flat(self) -> Iterator[list[Report]]:
        return self._listing.flat(self.head, self._counted())
