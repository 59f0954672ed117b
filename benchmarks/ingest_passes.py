"""Every row of a data folder through the real ingestor, as backfills over periods that cover them all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta

from benchmarks.ingest_vendor import TOKEN, Folder, Vendor, insider_day
from services.ingestor.parts import Outcome, Parts
from services.ingestor.recording.counts import Counts
from services.ingestor.rows.normalise import congress_day
from services.ingestor.runs.backfill import backfill, total_of
from services.ingestor.settings import IngestorSettings, QuiverSettings
from services.ingestor.sources.quiver import QuiverSource, quiver_vendor
from services.ingestor.startup import make_parts
from tradetrail.clock import FixedClock
from tradetrail.settings import SharedSettings

CONGRESS, INSIDER = "data_fetch:congress_daily", "data_fetch:insider_daily"
# Insider days further apart than this begin a period of their own: each day between would be a request for nothing.
_GAP_DAYS_MAX = 14
# A run delivers at most 25,000 records; and each congress window reads the bulk endpoint from its newest row on, so
# that a mistyped year must not make hundreds of them.
_WINDOW_ROWS_MAX = 20_000
_WINDOWS_MAX = 40
# The shortest congress window whose answer holds rows without a day, and insider window there is.
_CONGRESS_DAYS_MIN, _INSIDER_DAYS_MIN = 4, 1
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days of report to be asked for, both included."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Passed:
    """What one pass over one data source counted, and how long its runs took, seconds."""

    counts: Counts
    runs: int
    took_s: float
    error: str | None


@contextmanager
def ingestor(settings: SharedSettings, served: Vendor, own: IngestorSettings) -> Iterator[Parts]:
    """Return an ingestor's parts in this process, at the vendor's instant."""
    made = make_parts(settings, own, threading.Event())
    quiver = QuiverSettings(url=served.url, token=TOKEN)
    parts = replace(
        made, quiver=QuiverSource(quiver_vendor(own, quiver), own), clock=FixedClock(served.now)
    )
    try:
        yield parts
    finally:
        parts.memory.close()


def unpaced() -> IngestorSettings:
    """Return the ingestor's settings, except that it does not hold back for a vendor's rate limits."""
    return IngestorSettings(rate_classes=())


def windows_for(folder: Folder, own: IngestorSettings) -> IngestorSettings:
    """Return the settings with windows as the defaults have them, or as this folder needs them."""
    congress = [day for row in folder.congress if (day := congress_day(row))]
    insiders = [day for row in folder.insiders if (day := insider_day(row))]
    span = (max(congress) - min(congress)).days + 1 if congress else 1
    longest = max(own.backfill_congress_days, -(-span // _WINDOWS_MAX))
    undated = len(folder.congress) - len(congress)
    return own.model_copy(
        update={
            "backfill_congress_days": _fitting(congress, longest, _CONGRESS_DAYS_MIN, undated),
            "backfill_insider_days": _fitting(
                insiders, own.backfill_insider_days, _INSIDER_DAYS_MIN, 0
            ),
        }
    )


def congress_periods(folder: Folder) -> list[Period]:
    """Return one period over all congress rows, long enough to bring those without a day; none without rows."""
    if not folder.congress:
        return []
    days = folder.congress_days() or [folder.instant().date()]
    return [Period(min(days[0], days[-1] - (_CONGRESS_DAYS_MIN - 1) * _DAY), days[-1])]


def insider_periods(folder: Folder) -> list[Period]:
    """Return periods over all days on which insider rows were filed, without the long gaps between them."""
    periods: list[Period] = []
    for day in folder.insider_days():
        if periods and (day - periods[-1].end).days <= _GAP_DAYS_MAX:
            periods[-1] = Period(periods[-1].start, day)
        else:
            periods.append(Period(day, day))
    return periods


def passed(
    parts: Parts, task: str, periods: Sequence[Period], say: Callable[[str], None]
) -> Passed:
    """Ingest every period once; the first run that fails ends it."""
    outcomes: list[Outcome] = []
    took_s, error = 0.0, None
    for period in periods:
        started = time.perf_counter()
        ended = backfill(parts, task, period.start, period.end, again=True, requested_by="bench")
        took_s += time.perf_counter() - started
        outcomes += ended.outcomes
        totals = total_of(outcomes)
        say(
            f"{task} {period.start} to {period.end}: {totals.fetched} rows so far, {totals.created} created, "
            f"{totals.updated} updated, {totals.skipped} skipped, {len(outcomes)} runs, {took_s:.1f} s"
        )
        if ended.error is not None:
            error = f"{task}, window {ended.failed_window}: {ended.error}"
            break
    return Passed(total_of(outcomes), len(outcomes), took_s, error)


def _fitting(days: Sequence[date], longest: int, shortest: int, undated: int) -> int:
    """Return the longest window, days, in which no run has too many rows; halved until it fits."""
    while longest > shortest:
        first = min(days, default=date.min)
        rows = Counter((day - first).days // longest for day in days)
        rows[0] += undated
        if max(rows.values()) <= _WINDOW_ROWS_MAX:
            break
        longest = max(shortest, longest // 2)
    return longest
