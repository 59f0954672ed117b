"""What the auditor gives to COPY is read as the rows it was made from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from services.auditor.entry import NotStorable
from services.auditor.writing.lines import lines


def line(value: Any, other: Any = "b") -> str:
    return lines([(value, other)]).decode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        (None, "\\N"),
        ("\\N", "\\\\N"),
        ("\\.", "\\\\."),
        ("a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e"),
        (True, "t"),
        (False, "f"),
        (-7, "-7"),
        (Decimal("0.10"), "0.10"),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2, 3, 4, 5, 60, tzinfo=UTC), "2024-1-2 3:4:5.000060+0"),
        (
            datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            "2024-01-02 03:00:00+02:00",
        ),
        (b"\x00\xff", "\\\\x00ff"),
        ([], "{}"),
        (["late", "a b", 'q"\\', "null", ""], '{late,"a b","q\\\\"\\\\\\\\","null",""}'),
    ],
    ids=range(16),
)
def test_a_value_as_copy_reads_it(value: Any, text: str) -> None:
    assert line(value) == f"{text}\tb\n"
    assert line(value, None) == f"{text}\t\\N\n"


def test_rows_stand_one_below_the_other() -> None:
    assert lines([(1, None), [2, "x"]]) == b"1\t\\N\n2\tx\n"
    assert lines([]) == b""


def test_what_has_no_place_in_the_database_is_told() -> None:
    with pytest.raises(NotStorable):
        line("a\0b")
    with pytest.raises(TypeError):
        line(1.5)
