"""The trading sessions of the New York Stock Exchange: which days, and when they open and close.

Instants are aware UTC; a session is named by its date in New York. Half days close at 13:00 there.
Source: exchange_calendars' XNYS calendar, read once a process into plain dates and instants.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
# No disclosure is older than the law that asks for it (2012); prices may go back further.
FIRST_DAY = date(1990, 1, 1)


@dataclass(frozen=True, slots=True)
class _Calendar:
    """Sessions in order, with their opens and closes at the same index."""

    days: tuple[date, ...]
    opens_at: tuple[datetime, ...]
    closes_at: tuple[datetime, ...]
    index: dict[date, int]


@lru_cache(maxsize=1)
def _calendar() -> _Calendar:
    # Imported at first use: it brings pandas, half a second that most commands need not pay.
    with warnings.catch_warnings():
        # The library trips over pandas' deprecations, which we can't mend here.
        warnings.simplefilter("ignore", DeprecationWarning)
        import exchange_calendars

        calendar = exchange_calendars.get_calendar("XNYS", start=FIRST_DAY.isoformat())
    days = tuple(stamp.date() for stamp in calendar.sessions)
    opens_at = tuple(stamp.to_pydatetime().astimezone(UTC) for stamp in calendar.opens)
    closes_at = tuple(stamp.to_pydatetime().astimezone(UTC) for stamp in calendar.closes)
    return _Calendar(days, opens_at, closes_at, {day: i for i, day in enumerate(days)})


def first_session() -> date:
    """Return the first session the calendar knows."""
    return _calendar().days[0]


def last_session() -> date:
    """Return the last session the calendar knows (about a year from the real today)."""
    return _calendar().days[-1]


def is_session(day: date) -> bool:
    """Tell whether ``day`` is a trading day."""
    return day in _calendar().index


def session_open(day: date) -> datetime:
    """Return the opening instant of a session, UTC. Raises ValueError for other days."""
    return _calendar().opens_at[_position(day)]


def session_close(day: date) -> datetime:
    """Return the closing instant of a session, UTC. Raises ValueError for other days."""
    return _calendar().closes_at[_position(day)]


def next_session(day: date) -> date:
    """Return the first session after ``day`` (itself a session or not).

    Raises ValueError past the calendar's end.
    """
    calendar = _calendar()
    return _at(bisect_right(calendar.days, day), f"after {day}")


def previous_session(day: date) -> date:
    """Return the last session before ``day`` (itself a session or not).

    Raises ValueError before the calendar's start.
    """
    calendar = _calendar()
    return _at(bisect_left(calendar.days, day) - 1, f"before {day}")


def session_on_or_after(day: date) -> date:
    """Return ``day`` if it is a session, else the next. Raises ValueError past the end."""
    return day if is_session(day) else next_session(day)


def session_on_or_before(day: date) -> date:
    """Return ``day`` if it is a session, else the last before it."""
    return day if is_session(day) else previous_session(day)


def sessions(start: date, end: date) -> list[date]:
    """Return the sessions from ``start`` to ``end``, both included, in order."""
    days = _calendar().days
    return list(days[bisect_left(days, start) : bisect_right(days, end)])


def session_at(instant: datetime) -> date | None:
    """Return the session that is open at ``instant`` (open <= instant < close), or None.

    Raises ValueError for a naive instant.
    """
    day = new_york_date(instant)
    if not is_session(day):
        return None
    return day if session_open(day) <= instant < session_close(day) else None


def new_york(day: date, wall_time: time) -> datetime:
    """Return the instant, UTC, at which clocks in New York show ``wall_time`` on ``day``."""
    return datetime.combine(day, wall_time, tzinfo=NEW_YORK).astimezone(UTC)


def new_york_date(instant: datetime) -> date:
    """Return the date in New York at ``instant``. Raises ValueError for a naive instant."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {instant!r}")
    return instant.astimezone(NEW_YORK).date()


def _position(day: date) -> int:
    position = _calendar().index.get(day)
    if position is None:
        raise ValueError(f"{day} is no session of the New York Stock Exchange")
    return position


def _at(position: int, wanted: str) -> date:
    days = _calendar().days
    if not 0 <= position < len(days):
        raise ValueError(f"no session {wanted}: the calendar runs from {days[0]} to {days[-1]}")
    return days[position]
