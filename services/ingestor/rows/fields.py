"""Read a vendor's single fields: text, days, amounts, numbers. Pure; what can't be read is None and flagged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from services.ingestor.rows.flags import Flag

# No disclosure tells of a trade before this; earlier years are typing errors (0021, 0201).
FIRST_YEAR = 1990
_DAYS_AHEAD_MAX = 366
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?", re.DOTALL)
_COMPACT_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
_MONEY = r"\$?\s*([\d,]+(?:\.\d+)?)"
_BAND = re.compile(rf"{_MONEY}\s*-\s*{_MONEY}")
_CUT = re.compile(rf"{_MONEY}\s*-")
_OPEN = re.compile(rf"(?:{_MONEY}\s*\+|over\s+{_MONEY})", re.IGNORECASE)
_SINGLE = re.compile(_MONEY)
# The bands on the House's and the Senate's forms. Source: the periodic transaction report of either chamber.
_BANDS = frozenset(
    (Decimal(low), Decimal(high))
    for low, high in (
        (1, 1_000),
        (1_001, 15_000),
        (15_001, 50_000),
        (50_001, 100_000),
        (100_001, 250_000),
        (250_001, 500_000),
        (500_001, 1_000_000),
        (1_000_001, 5_000_000),
        (5_000_001, 25_000_000),
        (25_000_001, 50_000_000),
    )
)
# The wire holds 38 digits, 9 of them after the point; what is larger is no amount of this world.
_NUMBER_MAX = Decimal(10) ** 28

Row = Mapping[str, Any]


def text_of(row: Row, name: str, flags: set[Flag]) -> str | None:
    """Return a field as text, outer spaces stripped, None when null or empty; other JSON types are flagged."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        flags.add(Flag.WRONG_TYPE)
        value = json.dumps(value, sort_keys=True)
    # A surrogate without its pair can be written in JSON, but in no event.
    return value.encode(errors="replace").decode().strip() or None


def flag_of(row: Row, name: str, flags: set[Flag]) -> bool | None:
    """Return a yes-or-no field; other JSON types are flagged and None."""
    value = row.get(name)
    if value is None or isinstance(value, bool):
        return value
    flags.add(Flag.WRONG_TYPE)
    return None


def number_of(row: Row, name: str, flags: set[Flag]) -> Decimal | None:
    """Return a number, also one in a string; what is none is flagged and None."""
    value = row.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(repr(value) if isinstance(value, float) else str(value).replace(",", ""))
    except InvalidOperation:
        number = Decimal("nan")
    if isinstance(value, str) or not number.is_finite():
        flags.add(Flag.WRONG_TYPE)
    if number.is_finite() and abs(number) >= _NUMBER_MAX:
        flags.add(Flag.IMPOSSIBLE_NUMBER)
    return number if number.is_finite() and abs(number) < _NUMBER_MAX else None


@lru_cache(maxsize=65_536)
def read_day(text: str | None) -> date | None:
    """Return the day of ``2020-01-02``, with or without a time of day; None when it is no date."""
    found = _DATE.fullmatch(text or "") or _COMPACT_DATE.fullmatch(text or "")
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def day_text(text: str | None) -> str | None:
    """Return a date in one form, whichever the vendor used; what is no date stays as it is."""
    day = read_day(text)
    return text if day is None else day.isoformat()


def read_days(
    traded: str | None, reported: str | None, flags: set[Flag]
) -> tuple[date | None, date | None]:
    """Return the days of trade and report, None where unbelievable, and flag what is odd about them."""
    reported_on = read_day(reported)
    traded_on = read_day(traded)
    if reported_on is None or traded_on is None:
        flags.add(Flag.UNREADABLE_DATE)
    if reported_on is not None and reported_on.year < FIRST_YEAR:
        flags.add(Flag.IMPOSSIBLE_DATE)
        reported_on = None
    if traded_on is None:
        return None, reported_on
    ahead = reported_on is not None and (traded_on - reported_on).days > _DAYS_AHEAD_MAX
    if traded_on.year < FIRST_YEAR or ahead:
        flags.add(Flag.IMPOSSIBLE_DATE)
        return None, reported_on
    if traded_on.weekday() >= 5:
        flags.add(Flag.WEEKEND_TRADE)
    if reported_on is not None and traded_on > reported_on:
        flags.add(Flag.NEGATIVE_LAG)
    return traded_on, reported_on


@lru_cache(maxsize=4_096)
def read_range(text: str | None) -> tuple[Decimal | None, Decimal | None, tuple[Flag, ...]]:
    """Return the bounds of a disclosed amount, USD; the upper one is None when open or cut off."""
    plain = " ".join((text or "").replace("\u2013", "-").split())
    if band := _BAND.fullmatch(plain):
        low, high = _money(band[1]), _money(band[2])
        if low is None or high is None or low > high:
            return None, None, (Flag.UNKNOWN_RANGE,)
        return low, high, () if (low, high) in _BANDS else (Flag.UNUSUAL_RANGE,)
    if cut := _CUT.fullmatch(plain):
        return _money(cut[1]), None, (Flag.CUT_RANGE,)
    if over := _OPEN.fullmatch(plain):
        return _money(over[1] or over[2]), None, (Flag.OPEN_RANGE,)
    if single := _SINGLE.fullmatch(plain):
        amount = _money(single[1])
        return amount, amount, (Flag.UNUSUAL_RANGE,)
    return None, None, (Flag.UNKNOWN_RANGE,)


def _money(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return amount if amount < _NUMBER_MAX else None
