"""Rows to records: days, amounts, directions, flags, identity; and that no row whatever breaks a run."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.rows.business_days import business_days_after
from services.ingestor.rows.fields import read_day, read_range
from services.ingestor.rows.flags import Flag
from services.ingestor.rows.records import FetchedRow, Record, congress_records, insider_records
from tests.contract.quiver_server import congress_row, insider_row
from tradetrail.events.generated import Direction


def congress(**changes: Any) -> Record:
    row = congress_row("2024-01-10", **changes)
    return congress_records([FetchedRow("call", 0, row.fields)])[0]


def insider(**changes: Any) -> Record:
    row = insider_row("2024-01-03T21:44:37.000", **changes)
    return insider_records([FetchedRow("call", 0, row.fields)])[0]


def test_a_plain_row_is_read_whole_and_not_flagged() -> None:
    record = congress()
    facts = record.facts
    assert record.flags == ()
    assert record.symbol == "AAPL"
    assert (facts["transacted_on"], facts["reported_on"]) == (date(2024, 1, 2), date(2024, 1, 10))
    assert (facts["amount_usd_min"], facts["amount_usd_max"]) == (Decimal(1001), Decimal(15000))
    assert facts["direction"] is Direction.BUY
    assert facts["person_id"] == "E990001"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-01-02", date(2024, 1, 2)),
        ("2024-01-02T00:00:00Z", date(2024, 1, 2)),
        ("2024-01-02T00:00:00.000", date(2024, 1, 2)),
        ("2024-02-30", None),
        ("20221-11-18", None),
        ("", None),
        (None, None),
        ("soon", None),
    ],
)
def test_days_are_read_in_both_forms(text: str | None, day: date | None) -> None:
    assert read_day(text) == day


@pytest.mark.parametrize(
    ("text", "low", "high", "flags"),
    [
        ("$1,001 - $15,000", 1001, 15000, ()),
        ("$1,001-$15,000", 1001, 15000, ()),
        ("$1,001 -", 1001, None, (Flag.CUT_RANGE,)),
        ("$1,000,000 +", 1_000_000, None, (Flag.OPEN_RANGE,)),
        ("Over $50,000,000", 50_000_000, None, (Flag.OPEN_RANGE,)),
        ("$1,000 - $15,000", 1000, 15000, (Flag.UNUSUAL_RANGE,)),
        ("$15,000 - $1,001", None, None, (Flag.UNKNOWN_RANGE,)),
        ("$1,234.56", Decimal("1234.56"), Decimal("1234.56"), (Flag.UNUSUAL_RANGE,)),
        ("a lot", None, None, (Flag.UNKNOWN_RANGE,)),
        (None, None, None, (Flag.UNKNOWN_RANGE,)),
    ],
)
def test_amounts_stay_ranges(text: str | None, low: Any, high: Any, flags: Any) -> None:
    assert read_range(text) == (low, high, flags)


def test_without_a_range_the_lower_bound_comes_from_the_amount() -> None:
    record = congress(Range=None, Amount="50001.0")
    assert record.facts["amount_usd_min"] == Decimal("50001.0")
    assert record.facts["amount_usd_max"] is None
    assert Flag.UNKNOWN_RANGE in record.flags


@pytest.mark.parametrize(
    ("word", "direction"),
    [
        ("Purchase", Direction.BUY),
        ("Sale", Direction.SELL),
        ("Sale (Full)", Direction.SELL),
        ("Sale (Partial)", Direction.SELL),
        ("Exchange", Direction.EXCHANGE),
        ("Receive", Direction.OTHER),
        (None, Direction.UNKNOWN),
    ],
)
def test_the_direction_follows_the_word(word: str | None, direction: Direction) -> None:
    assert congress(Transaction=word).facts["direction"] is direction


@pytest.mark.parametrize("code", [*list("AMFGCDJXILU"), "56", None])
def test_only_open_market_codes_have_a_direction(code: str | None) -> None:
    record = insider(TransactionCode=code, AcquiredDisposedCode="A")
    assert record.facts["direction"] is Direction.OTHER
    assert insider(TransactionCode="P").facts["direction"] is Direction.BUY
    assert insider(TransactionCode="S").facts["direction"] is Direction.SELL


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"TransactionDate": "0021-06-22"}, Flag.IMPOSSIBLE_DATE),
        ({"TransactionDate": "2028-01-02"}, Flag.IMPOSSIBLE_DATE),
        ({"TransactionDate": "20221-11-18"}, Flag.UNREADABLE_DATE),
        ({"TransactionDate": None}, Flag.UNREADABLE_DATE),
        ({"ReportDate": "soon"}, Flag.UNREADABLE_DATE),
        ({"TransactionDate": "2024-01-11"}, Flag.NEGATIVE_LAG),
        ({"TransactionDate": "2023-11-24"}, Flag.LATE_FILING),
        ({"TransactionDate": "2024-01-06"}, Flag.WEEKEND_TRADE),
        ({"Transaction": "Exchange"}, Flag.EXCHANGE),
        ({"BioGuideID": None, "Representative": None}, Flag.UNKNOWN_PERSON),
        ({"Ticker": 5}, Flag.WRONG_TYPE),
        ({"Range": ["$1"]}, Flag.WRONG_TYPE),
        ({"ReportDate": {"unexpected": True}}, Flag.WRONG_TYPE),
    ],
)
def test_congress_dirt_is_flagged(changes: dict[str, Any], flag: Flag) -> None:
    assert flag in congress(**changes).flags


def test_a_disclosure_within_45_days_is_not_late() -> None:
    assert Flag.LATE_FILING not in congress(TransactionDate="2023-11-27").flags


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"PricePerShare": None}, Flag.PRICE_MISSING),
        ({"PricePerShare": 0.0}, Flag.PRICE_MISSING),
        ({"PricePerShare": 25_000.0}, Flag.PRICE_IMPLAUSIBLE),
        ({"Date": "2023-12-27T00:00:00.000"}, Flag.LATE_FILING),
        ({"Date": "2028-01-03T00:00:00.000"}, Flag.IMPOSSIBLE_DATE),
        ({"Shares": "many"}, Flag.WRONG_TYPE),
        ({"isDirector": "yes"}, Flag.WRONG_TYPE),
        ({"Name": None}, Flag.UNKNOWN_PERSON),
    ],
)
def test_insider_dirt_is_flagged(changes: dict[str, Any], flag: Flag) -> None:
    assert flag in insider(**changes).flags


def test_numbers_are_exact() -> None:
    facts = insider(Shares=1389.25, PricePerShare=8.912).facts
    assert (facts["shares"], facts["price_usd"]) == (Decimal("1389.25"), Decimal("8.912"))
    assert facts["amount_usd_min"] == facts["amount_usd_max"] == Decimal("12380.9960")


def test_look_ahead_fields_change_nothing_but_the_evidence() -> None:
    today, tomorrow = (
        congress(),
        congress(ExcessReturn=12.5, PriceChange=-3.0, SPYChange=1.0, last_modified="2024-02-01"),
    )
    assert today.content_hash == tomorrow.content_hash
    assert today.facts["source_fields"] != tomorrow.facts["source_fields"]
    assert insider().content_hash == insider(uploaded="2024-01-09T00:00:00.000").content_hash


def test_the_form_of_a_date_is_no_part_of_the_identity() -> None:
    assert congress().content_hash == congress(TransactionDate="2024-01-02T00:00:00Z").content_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"Range": "$15,001 - $50,000"},
        {"Ticker": "MSFT"},
        {"TransactionDate": "2024-01-03"},
        {"Transaction": "Sale (Full)"},
        {"Description": "Apple Inc. (corrected)"},
        {"Representative": "Ada Q. Example"},
    ],
)
def test_every_documented_field_is_part_of_the_content(changes: dict[str, Any]) -> None:
    assert congress().content_hash != congress(**changes).content_hash


def test_equal_rows_are_separate_numbered_lots() -> None:
    row = congress_row("2024-01-10").fields
    records = congress_records([FetchedRow("call", n, dict(row)) for n in range(3)])
    assert [record.occurrence for record in records] == [1, 2, 3]
    assert len({record.content_hash for record in records}) == 3
    flagged = [Flag.DUPLICATE_LOT in record.flags for record in records]
    assert flagged == [False, True, True]


def test_the_original_text_is_kept() -> None:
    anchor = '<a href="https://finance.yahoo.com/q?s=BRK-B">BRK-B</a>'
    record = congress(Ticker=anchor, District=" WA04")
    assert record.symbol == "BRK.B"
    assert record.facts["ticker_text"] == anchor
    assert record.facts["district"] == "WA04"
    assert json.loads(record.facts["source_fields"])["District"] == " WA04"


def test_half_a_surrogate_pair_stays_readable_evidence() -> None:
    record = congress(Description="bad \ud800 text")
    record.facts["source_fields"].encode()
    assert json.loads(record.facts["source_fields"])["Description"] == "bad \ud800 text"
    record.facts["description"].encode()


@pytest.mark.parametrize(
    ("traded", "reported", "days"),
    [
        ("2024-01-05", "2024-01-05", 0),
        ("2024-01-05", "2024-01-04", 0),
        ("2024-01-05", "2024-01-08", 1),
        ("2024-01-05", "2024-01-19", 9),  # over Martin Luther King's birthday
        ("2024-07-03", "2024-07-08", 2),  # over Independence Day and a weekend
        ("2024-03-27", "2024-04-01", 2),  # over Good Friday, when the exchange is closed
        ("2024-10-11", "2024-10-15", 1),  # over Columbus Day, when the Commission is closed
        ("2022-11-10", "2022-11-14", 1),  # over Veterans Day on a Friday
        ("2023-11-09", "2023-11-13", 1),  # and on a Saturday, kept on Friday
        ("2018-11-09", "2018-11-13", 1),  # and on a Sunday, kept on Monday
    ],
)
def test_business_days_are_counted_over_weekends_and_holidays(
    traded: str, reported: str, days: int
) -> None:
    assert business_days_after(date.fromisoformat(traded), date.fromisoformat(reported)) == days


def test_a_report_is_late_from_the_third_business_day() -> None:
    for filed, is_late in (("2024-07-08", False), ("2024-07-09", True)):
        row = insider_row(f"{filed}T21:44:37.000", Date="2024-07-03T00:00:00.000").fields
        (record,) = insider_records([FetchedRow("call", 0, row)])
        assert ("late_filing" in record.flags) is is_late


@pytest.mark.parametrize("written", ["NaN", "-Infinity", "1e400"])
def test_a_number_that_is_none_is_flagged_and_written_as_its_name(written: str) -> None:
    row = insider_row("2024-01-03T21:44:37.000").fields | {"Shares": json.loads(written)}
    (record,) = insider_records([FetchedRow("call", 0, row)])
    assert "wrong_type" in record.flags
    assert record.facts["shares"] is None
    kept = json.loads(record.facts["source_fields"], parse_constant=lambda name: pytest.fail(name))
    assert kept["Shares"] == repr(float(written))


def test_a_number_beyond_any_trade_is_flagged() -> None:
    row = insider_row("2024-01-03T21:44:37.000").fields | {"Shares": 10**30}
    (record,) = insider_records([FetchedRow("call", 0, row)])
    assert "impossible_number" in record.flags
    assert record.facts["shares"] is None


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["2024-01-02", "AAPL", "$1,001 - $15,000", "Purchase", "1001.0", "P"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
_CONGRESS_NAMES = st.sampled_from([*sorted(congress_row("2024-01-10").fields), "New"])
_INSIDER_NAMES = st.sampled_from(sorted(insider_row("2024-01-03T00:00:00.000").fields))


@given(st.dictionaries(_CONGRESS_NAMES, _JSON))
def test_any_object_is_a_congress_record(row: dict[str, Any]) -> None:
    first = congress_records([FetchedRow("call", 0, row)])[0]
    again = congress_records([FetchedRow("other", 9, dict(reversed(row.items())))])[0]
    assert first.content_hash == again.content_hash
    assert json.loads(first.facts["source_fields"]) == row
    assert first.flags == tuple(sorted(first.flags))


@given(st.dictionaries(_INSIDER_NAMES, _JSON))
def test_any_object_is_an_insider_record(row: dict[str, Any]) -> None:
    record = insider_records([FetchedRow("call", 0, row)])[0]
    assert json.loads(record.facts["source_fields"]) == row
    for value in record.facts.values():
        assert not isinstance(value, float)
