"""The simulated Alpaca's instants and amounts, in and out of text."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.alpaca import instants
from simulators.alpaca.amounts import load_json, plain, read
from simulators.alpaca.limiter import RateLimit


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_instants_survive_text(at_ns: int) -> None:
    assert instants.parse(instants.rfc3339(at_ns)) == at_ns
    assert instants.parse(instants.eastern(at_ns)) == at_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-02", "2020-01-02T00:00:00.000000000Z"),
        ("2020-01-02T10:00:00Z", "2020-01-02T10:00:00.000000000Z"),
        ("2020-01-02T10:00:00.5-05:00", "2020-01-02T15:00:00.500000000Z"),
        ("2020-01-02T10:00:00 00:00", "2020-01-02T10:00:00.000000000Z"),  # a plus in a query
        ("2020-01-02T10:00:00", "2020-01-02T10:00:00.000000000Z"),
        ("2020-01-02T10:00:00.123456789Z", "2020-01-02T10:00:00.123456789Z"),
    ],
)
def test_reading_instants(text: str, expected: str) -> None:
    assert instants.rfc3339(instants.parse(text)) == expected


@pytest.mark.parametrize("text", ["", "soon", "2020-13-01", "2020-01-02T25:00:00Z", "20200102"])
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        instants.parse(text)


def test_instants_keep_microseconds_exactly() -> None:
    instant = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert instants.to_datetime(instants.to_ns(instant)) == instant


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1.0", "1"), ("1E+3", "1000"), ("0.10", "0.1"), ("-0", "0"), ("0.000000001", "0.000000001")],
)
def test_amounts_are_written_plainly(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text


def test_numbers_in_json_are_read_exactly() -> None:
    assert read(load_json(b"0.1")) == Decimal("0.1")
    assert read(load_json(b'"1.10"')) == Decimal("1.1")
    for bad in (b"true", b'"NaN"', b'"1e20"', b"null", b"[]"):
        with pytest.raises(ValueError, match=r".+"):
            read(load_json(bad))


def test_the_rate_limit_s_window() -> None:
    now = 90.0
    limit = RateLimit(2, lambda: now)
    assert [limit.take(), limit.take(), limit.take()] == [True, True, False]
    assert limit.headers()[1:] == [(b"x-ratelimit-remaining", b"0"), (b"x-ratelimit-reset", b"120")]
    now = 120.0
    assert limit.take()
    assert RateLimit(0).take()
