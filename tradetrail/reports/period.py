"""A report's period: whole days in New York, both included."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.sessions import new_york

# A day further on the calendar itself ends.
_LAST_DAY = date(9998, 12, 31)


def since_until(start: date | None, end: date | None) -> tuple[datetime | None, datetime | None]:
    """Return the instant the period begins and the one before which it ends, UTC; None where it is open.

    Raises UsageError for a period that ends before it begins, and for days that no calendar reaches.
    """
    if start and end and end < start:
        raise UsageError(f"the period ends ({end}) before it begins ({start}); swap them")
    for day in filter(None, (start, end)):
        if day > _LAST_DAY:
            raise UsageError(
                f"the period reaches {day}; the last day that can be asked for is {_LAST_DAY}"
            )
    return (
        new_york(start, time(0)) if start else None,
        new_york(end + timedelta(days=1), time(0)) if end else None,
    )


def heading(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked as a report repeats it: ``start`` and ``end`` are its period, the others its filters."""
    others = {name: value for name, value in filters.items() if name not in ("start", "end")}
    return {"period": {"from": filters["start"], "to": filters["end"]}, "filters": others}
