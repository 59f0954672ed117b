"""The days that count for the deadline of an insider's report. Pure.

The law counts days on which the Securities and Exchange Commission takes filings: weekdays that are no federal holiday.
The exchange keeps those holidays but two, and closes on Good Friday besides, which is not counted here either: a report
is called late only when it is late by both calendars.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from tradetrail.sessions import sessions

_DAY = timedelta(days=1)
# So many days later any report is late, whichever days count.
_SPAN_DAYS_MAX = 60


@lru_cache(maxsize=65_536)
def business_days_after(start: date, end: date) -> int:
    """Return how many business days follow ``start``, through ``end``; 0 when it is not later.

    Of a span of more than 60 days only its first 60 count.
    """
    if end <= start:
        return 0
    last = min(end, start + timedelta(days=_SPAN_DAYS_MAX))
    return sum(not _is_federal_only(day) for day in sessions(start + _DAY, last))


def _is_federal_only(day: date) -> bool:
    """Tell whether ``day`` is a federal holiday on which the exchange is open (5 U.S.C. 6103)."""
    if day.month == 10:
        # Columbus Day: the second Monday of October.
        return day.weekday() == 0 and 8 <= day.day <= 14
    # Veterans Day: November 11, or the weekday next to it when that is on a weekend.
    return day.month == 11 and (
        day.day == 11
        or (day.day == 10 and day.weekday() == 4)
        or (day.day == 12 and day.weekday() == 0)
    )
