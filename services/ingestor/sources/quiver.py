"""QuiverQuant's disclosures for a window of days: the live endpoint, and the bulk one where live is cut off.

The live endpoint serves the newest 500 rows of each chamber and no more. A chamber that has that many, none of them
older than the window, may miss rows: then, and for a window asked for by hand, the bulk endpoint is read page by page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from services.ingestor.rows.normalise import congress_day
from services.ingestor.rows.records import FetchedRow
from services.ingestor.settings import BULK_BY_DAY_MAX, IngestorSettings, QuiverSettings
from services.ingestor.sources.http import BearerAuth, HttpEdge, Limits
from services.ingestor.sources.pace import Allowance, Pace
from services.ingestor.sources.vendor import CallLog, Vendor
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.events.generated import CallPurpose

CONGRESS_LIVE = "/beta/live/congresstrading"
CONGRESS_BULK = "/beta/bulk/congresstrading"
INSIDERS_LIVE = "/beta/live/insiders"


@dataclass(frozen=True, slots=True)
class Window:
    """Days of report, both included; ``is_explicit`` when a person asked for them.

    ``takes_undated``: rows whose day of report can't be read count as the window's. Of a period that is cut into
    windows, one has them.
    """

    start: date
    end: date
    is_explicit: bool = False
    takes_undated: bool = True

    def days(self) -> list[date]:
        """Return the days in order."""
        return [self.start + timedelta(days=n) for n in range((self.end - self.start).days + 1)]


class Fetched(NamedTuple):
    """The rows of a window; ``has_undated`` when all rows without a readable day that the vendor has are among them."""

    rows: list[FetchedRow]
    has_undated: bool


def quiver_vendor(own: IngestorSettings, quiver: QuiverSettings) -> Vendor:
    """Return QuiverQuant as configured."""
    allowances = [Allowance(one.prefix, one.requests, one.per_s) for one in own.rate_classes]
    return Vendor(
        HttpEdge(quiver.url, BearerAuth(quiver.token.get_secret_value()), limits(own)),
        "quiverquant",
        CallPurpose.DISCLOSURES,
        Pace(allowances, own.pace_wait_s_max, own.retry_after_s_max),
    )


def limits(own: IngestorSettings) -> Limits:
    """Return what one answer may cost."""
    return Limits(
        own.connect_timeout_s, own.read_timeout_s, own.answer_timeout_s, own.answer_bytes_max
    )


class QuiverSource:
    """Disclosures of a window."""

    def __init__(self, vendor: Vendor, own: IngestorSettings) -> None:
        """Read from ``vendor`` within the limits of ``own``."""
        self._vendor = vendor
        self._own = own

    @property
    def waiting(self) -> str | None:
        """Return what is being waited for before the next request; None when nothing is."""
        return self._vendor.waiting

    def congress(self, calls: CallLog, window: Window) -> Fetched:
        """Return every congress row reported in the window, and those met whose day can't be read if it takes them."""
        if window.is_explicit:
            return self._congress_bulk(calls, window)
        answer, rows = self._vendor.rows(calls, CONGRESS_LIVE, {})
        if self._has_gap(rows, window):
            return self._congress_bulk(calls, window)
        return Fetched(_within(answer.call_id, rows, window), has_undated=False)

    def insiders(self, calls: CallLog, window: Window) -> list[FetchedRow]:
        """Return every insider row filed in the window, day by day: there is no bulk endpoint."""
        found: list[FetchedRow] = []
        for day in window.days():
            query = {"date": day.strftime("%Y%m%d")}
            for call_id, rows in self._pages(
                calls, INSIDERS_LIVE, query, self._own.insider_page_size
            ):
                found += [FetchedRow(call_id, n, row) for n, row in enumerate(rows)]
        return found

    def _has_gap(self, rows: list[dict[str, Any]], window: Window) -> bool:
        """Tell whether a chamber was cut off within the window; its oldest day may then be incomplete."""
        days_of: dict[Any, list[date]] = {}
        counts: dict[Any, int] = {}
        for row in rows:
            chamber = str(row.get("House"))
            counts[chamber] = counts.get(chamber, 0) + 1
            if (day := congress_day(row)) is not None:
                days_of.setdefault(chamber, []).append(day)
        return any(
            counts[chamber] >= self._own.live_rows_max and min(days) >= window.start
            for chamber, days in days_of.items()
        )

    def _congress_bulk(self, calls: CallLog, window: Window) -> Fetched:
        days = window.days()
        queries: list[dict[str, str]] = [{}]
        if len(days) <= BULK_BY_DAY_MAX:
            queries = [{"date": day.strftime("%Y%m%d")} for day in days]
        found: list[FetchedRow] = []
        has_undated = window.takes_undated and queries == [{}]
        for query in queries:
            is_descending, last = True, date.max
            for call_id, rows in self._pages(calls, CONGRESS_BULK, query, self._own.bulk_page_size):
                found += _within(call_id, rows, window)
                for row in rows:
                    day = congress_day(row)
                    is_descending = is_descending and day is not None and day <= last
                    last = day or last
                # Newest first is how the vendor serves it, but no promise: stop early only while it holds.
                if is_descending and last < window.start:
                    has_undated = False
                    break
        return Fetched(found, has_undated)

    def _pages(
        self, calls: CallLog, path: str, query: Mapping[str, str], page_size: int
    ) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield pages until one is shorter than asked for: the vendor gives no total and no next link."""
        before = b""
        for page in range(1, self._own.pages_max + 1):
            asked = {**query, "page": str(page), "page_size": str(page_size)}
            answer, rows = self._vendor.rows(calls, path, asked)
            digest = hashlib.sha256(answer.body).digest()
            if rows and digest == before:
                raise RunTrouble(
                    ErrorCode.PAGE_REPEATS,
                    f"page {page} of {path} is equal to the page before it; its rows would count twice",
                    call_id=answer.call_id,
                    page=page,
                )
            before = digest
            yield answer.call_id, rows
            if len(rows) < page_size:
                return
        raise RunTrouble(
            ErrorCode.TOO_MANY_PAGES,
            f"{path} has more than {self._own.pages_max} pages of {page_size}; ask for a shorter window "
            "(--from, --to)",
        )


def _within(call_id: str, rows: list[dict[str, Any]], window: Window) -> list[FetchedRow]:
    found = []
    for number, row in enumerate(rows):
        day = congress_day(row)
        is_within = window.takes_undated if day is None else window.start <= day <= window.end
        if is_within:
            found.append(FetchedRow(call_id, number, row))
    return found
