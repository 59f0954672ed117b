"""Reports as JSON and CSV: exact numbers, times in UTC, keys in their order."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradetrail.reports.encode import instant, json_bytes, plain, to_json
from tradetrail.reports.export import Sheet, to_csv
from tradetrail.reports.queries import statement
from tradetrail.reports.stored_json import StoredObject
from tradetrail.reports.symbol import COLUMNS, symbol_sheet
from tradetrail.sessions import NEW_YORK

AT = datetime(2020, 3, 2, 12, 0, 0, 1, tzinfo=UTC)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 2]))
def test_json_reads_back_exactly(value: Any, indent: int | None) -> None:
    text = to_json(value, indent=indent)
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == _numbers(value)
    assert json_bytes(value) == to_json(value).encode()


def _read(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def _numbers(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return Decimal(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("100.000000000"), "100"),
        (Decimal("0.100"), "0.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("-0.0"), "0"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
    ],
)
def test_decimals_show_their_digits_and_no_more(value: Decimal, text: str) -> None:
    assert plain(value) == text
    assert to_json(value) == text


def test_times_are_utc() -> None:
    there = datetime(2020, 3, 2, 7, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert to_json([there, date(2020, 3, 2)]) == '["2020-03-02T12:00:00Z","2020-03-02"]'


@given(
    st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000)),
    st.sampled_from([UTC, NEW_YORK]),
)
def test_an_instant_is_written_as_the_standard_form_has_it(since: timedelta, zone: tzinfo) -> None:
    at = (AT + since).astimezone(zone)
    text = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert instant(at) == text
    assert to_json([at]) == f'["{text}"]'


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(TypeError):
        to_json(Decimal("NaN"))
    with pytest.raises(ValueError):
        to_json(float("nan"))


@given(st.dictionaries(st.text(), VALUES, max_size=4), VALUES, st.sampled_from([None, 2]))
def test_a_stored_object_says_in_a_report_what_it_says_itself(
    content: dict[str, Any], beside: Any, indent: int | None
) -> None:
    stored = StoredObject(json.dumps(content, default=str))
    told = json.loads(stored.text, parse_float=Decimal)
    assert stored == told
    assert dict(stored) == told
    text = to_json({"first": beside, "stored": [stored], "last": beside}, indent=indent)
    plainly = to_json({"first": beside, "stored": [told], "last": beside}, indent=indent)
    assert _read(text) == _read(plainly)


def test_a_stored_object_is_written_as_it_stands_and_read_when_looked_into() -> None:
    stored = StoredObject('{"price": 1.10, "what": {"deep": [1]}}')
    assert to_json([stored, 2]) == '[{"price": 1.10, "what": {"deep": [1]}},2]'
    assert (
        to_csv(Sheet(("it",), [{"it": stored}]))
        == 'it\n"{""price"": 1.10, ""what"": {""deep"": [1]}}"\n'
    )
    assert stored["price"] == Decimal("1.10")
    assert StoredObject("no JSON").text == "no JSON"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([2**70, AT], f'[{2**70},"2020-03-02T12:00:00.000001Z"]'),
        ({1: Decimal("1.50")}, '{"1":1.5}'),
        ([date(2020, 3, 2), {"deep": (2**64, None)}], f'["2020-03-02",{{"deep":[{2**64},null]}}]'),
    ],
)
def test_what_the_quick_encoder_refuses_is_written_all_the_same(value: Any, text: str) -> None:
    assert to_json(value) == text


def test_csv_has_one_header_and_a_row_for_each_row_of_each_section() -> None:
    at = datetime(2020, 3, 2, tzinfo=UTC)
    report = {
        "data_ingested": [{"record_id": "r", "politician": 'a "b", c', "available_at": at}],
        "decisions_made": [
            {"decision_id": "d", "quantity": Decimal("1.50"), "rationale": {"a": 1}}
        ],
        "declined": [],
        "trades_executed": [{"decision_id": "d", "quantity": Decimal(3)}],
    }
    lines = to_csv(symbol_sheet(report)).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 4
    assert '"a ""b"", c"' in lines[1]
    assert '"{""a"":1}"' in lines[2]
    assert ",1.5," in lines[2]


def test_a_query_that_does_not_exist_is_named() -> None:
    with pytest.raises(KeyError, match="no query named"):
        statement("../../settings")


def test_a_query_takes_the_columns_it_is_by_as_names_and_nothing_else() -> None:
    assert 't."a"" OR true" BETWEEN' in statement("disclosures_count", day='a" OR true')
    with pytest.raises(KeyError):
        statement("disclosures_count", other_day="disclosed_on")
