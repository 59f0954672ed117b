"""The opens and closes that lie between two instants."""

from __future__ import annotations

from datetime import date, datetime

from tradetrail import sessions


def moments_between(start: datetime, end: datetime) -> list[tuple[datetime, date, bool]]:
    """Return the opens and closes after ``start`` up to ``end``, in order: (instant, session, is open)."""
    moments = []
    first, last = sessions.new_york_date(start), sessions.new_york_date(end)
    for session_on in sessions.sessions(first, last):
        for at, is_open in (
            (sessions.session_open(session_on), True),
            (sessions.session_close(session_on), False),
        ):
            if start < at <= end:
                moments.append((at, session_on, is_open))
    return moments
