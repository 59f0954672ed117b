"""Instants as integers: nanoseconds since 1970, UTC, as the broker stamps them.

Alpaca's timestamps have nanoseconds, which datetime can't hold.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from tradetrail.sessions import NEW_YORK

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 1_000_000_000
_FORM = re.compile(
    r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+\- ]\d\d:?\d\d)?)?$",
    re.IGNORECASE,
)


def to_ns(instant: datetime) -> int:
    """Return an aware datetime as nanoseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000


def to_datetime(at_ns: int) -> datetime:
    """Return the instant, UTC, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=at_ns // 1000)


def rfc3339(at_ns: int) -> str:
    """Write an instant the way Alpaca does: nine digits of the second, Z."""
    seconds, fraction = divmod(at_ns, _SECOND_NS)
    return f"{_second(seconds)}.{fraction:09d}Z"


@lru_cache(1024)  # what is listed together mostly happened in a few seconds of simulated time
def _second(seconds: int) -> str:
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"


def eastern(at_ns: int, *, fraction: bool = True) -> str:
    """Write an instant with New York's offset, as the clock endpoint does."""
    seconds, nanos = divmod(at_ns, _SECOND_NS)
    local = (_EPOCH + timedelta(seconds=seconds)).astimezone(NEW_YORK)
    offset = local.strftime("%z")
    digits = f".{nanos:09d}" if fraction else ""
    return f"{local:%Y-%m-%dT%H:%M:%S}{digits}{offset[:3]}:{offset[3:]}"


def parse(text: str) -> int:
    """Read RFC 3339 or a date (midnight UTC). Raises ValueError for anything else.

    A plus sign that a query string turned into a space is read as the plus it was.
    """
    found = _FORM.match(text.strip())
    if found is None:
        raise ValueError(f"not an RFC 3339 instant or a date: {text!r}")
    day, clock, digits, offset = found.groups()
    if clock is None:
        return to_ns(datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=UTC))
    zone = (offset or "Z").upper().replace(" ", "+").replace("Z", "+00:00")
    seconds = to_ns(datetime.fromisoformat(f"{day}T{clock}{zone}"))
    return seconds + int((digits or "0").ljust(9, "0"))
