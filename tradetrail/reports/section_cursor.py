"""The cursor of a report with several lists: where each of them goes on, as one text to be given back unchanged."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, DecimalException
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.reports.encode import instant, plain
from tradetrail.reports.paging import check_name

# What a bigint of Postgres holds.
_OFFSET_MAX = (1 << 63) - 1

Key = dict[str, Any]
"""Where a list goes on: the values of its last row that its order is by, by the name of the query's argument."""


def write_cursor(keys: Mapping[str, Key]) -> str | None:
    """Return the cursor behind these keys by list; None when there are none, so that no list goes on."""
    if not keys:
        return None
    texts = {name: {n: _text(v) for n, v in key.items()} for name, key in keys.items()}
    packed = json.dumps(texts, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(
    cursor: str, readers: Mapping[str, Mapping[str, Callable[[str], Any]]]
) -> dict[str, Key]:
    """Return the keys by list; ``readers`` say of each list which values its key has, and how each is read.

    Raises UsageError for what is no cursor of such a report.
    """
    try:
        packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==")
        keys: dict[str, Key] = {
            name: {n: None if t is None else readers[name][n](t) for n, t in key.items()}
            for name, key in json.loads(packed).items()
        }
        if not keys or any(keys[name].keys() != readers[name].keys() for name in keys):
            raise ValueError("a part is missing")
    except (
        *(ValueError, TypeError, KeyError, AttributeError, RecursionError),
        *(binascii.Error, DecimalException, UsageError),
    ) as error:
        raise UsageError(
            f"{cursor[:80]!r} is no cursor: give the `next` of the page before, unchanged"
        ) from error
    return keys


def as_instant(text: str) -> datetime:
    """Read an instant. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return at


def as_number(text: str) -> Decimal:
    """Read a number. Raises ValueError."""
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError("no finite number")
    return number


def as_offset(text: str) -> int:
    """Read an offset, or another whole number that a column holds. Raises ValueError."""
    number = int(text)
    if not 0 <= number <= _OFFSET_MAX:
        raise ValueError("no offset")
    return number


def as_id(text: str) -> str:
    """Read an id. Raises UsageError."""
    return str(check_name("id", text))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else str(value)
