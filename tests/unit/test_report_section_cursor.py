"""The cursor of a report with several lists."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tradetrail.errors import UsageError
from tradetrail.reports.section_cursor import (
    as_id,
    as_instant,
    as_number,
    as_offset,
    read_cursor,
    write_cursor,
)

READERS: Mapping[str, Mapping[str, Callable[[str], Any]]] = {
    "days": {"after_day": date.fromisoformat, "after_id": as_id},
    "answers": {"after_at": as_instant, "after_strength": as_number},
    "places": {"after_offset": as_offset},
}


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def test_what_is_written_is_read_again() -> None:
    keys: dict[str, dict[str, Any]] = {
        "days": {"after_day": None, "after_id": "a~b"},
        "answers": {
            "after_at": datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
            "after_strength": Decimal("4.5"),
        },
        "places": {"after_offset": 9_223_372_036_854_775_807},
    }
    cursor = write_cursor(keys)
    assert cursor is not None
    assert cursor.isascii()
    assert read_cursor(cursor, READERS) == keys


def test_complete_lists_have_no_cursor() -> None:
    assert write_cursor({}) is None


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "!", "é", "2024-01-02T03:04:05Z~x", packed("1"), packed("{}"), packed("[" * 9_000)),
        packed('{"trades":{}}'),
        packed('{"days":{"after_day":"2024-13-01","after_id":"x"}}'),
        packed('{"days":{"after_day":"2024-01-01"}}'),
        packed('{"days":{"after_day":7,"after_id":"x"}}'),
        packed('{"answers":{"after_at":"2024-01-01","after_strength":"1"}}'),
        packed('{"places":{"after_offset":"-1"}}'),
        packed('{"places":{"after_offset":"9223372036854775808"}}'),
        packed('{"answers":{"after_at":"2024-01-01T00:00:00Z","after_strength":"NaN"}}'),
    ],
    ids=range(15),
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(UsageError, match="is no cursor"):
        read_cursor(cursor, READERS)
