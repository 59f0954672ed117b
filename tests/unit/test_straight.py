"""Straight readers give what the Avro library gives, and refuse what is no whole record."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from fastavro.schema import parse_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.event_strategies import any_event
from tradetrail.events import CATALOGUE, Event, to_datum
from tradetrail.events.schemas import parsed_schema
from tradetrail.log.straight import Form, NotStraight, as_texts, straight_reader, today_reader

BEFORE = b"12345"


def written(schema: Any, datum: Any) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema, datum)
    return buffer.getvalue()


def by_the_library(schema: Any, value: bytes) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(value), schema, None)


@given(any_event())
@settings(max_examples=300, deadline=None)
def test_every_event_reads_as_the_library_reads_it(event: Event) -> None:
    schema = parsed_schema(event.TYPE)
    value = written(schema, to_datum(event))
    datum, end = today_reader(event.TYPE)(BEFORE + value, len(BEFORE))
    expected = by_the_library(schema, value)
    # As texts too: 1.50 equals 1.5.
    assert (datum, repr(datum), end) == (expected, repr(expected), len(BEFORE + value))


@given(any_event())
@settings(max_examples=150, deadline=None)
def test_every_event_reads_in_texts_as_its_types_say(event: Event) -> None:
    value = written(parsed_schema(event.TYPE), to_datum(event))
    typed, end = today_reader(event.TYPE)(value, 0)
    assert today_reader(event.TYPE, Form.TEXTS)(value, 0) == (as_texts(typed), end)


@given(any_event(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_cut_event_never_passes_for_a_whole_one(event: Event, data: st.DataObject) -> None:
    value = written(parsed_schema(event.TYPE), to_datum(event))
    cut = value[: data.draw(st.integers(0, len(value) - 1))]
    try:
        _, end = today_reader(event.TYPE)(cut, 0)
    except (IndexError, ValueError):
        return
    assert end != len(cut)


@given(any_event(), st.data())
@settings(max_examples=100, deadline=None)
def test_altered_bytes_end_or_are_refused(event: Event, data: st.DataObject) -> None:
    value = bytearray(written(parsed_schema(event.TYPE), to_datum(event)))
    value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    try:
        datum, _ = today_reader(event.TYPE)(bytes(value), 0)
    except (IndexError, ValueError, ArithmeticError):
        return
    assert datum.keys() == to_datum(event).keys()


def test_there_is_a_reader_for_every_type() -> None:
    assert all(today_reader(name) for name in CATALOGUE)


def test_instants_and_days_as_texts() -> None:
    at = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    told = {"a": [at, at.replace(microsecond=0)], "b": date(1, 1, 1), "c": Decimal("1.50")}
    assert as_texts(told) == {
        "a": ["1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59Z"],
        "b": "0001-01-01",
        "c": Decimal("1.50"),
    }


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("kind", ["timestamp-micros", "date"])
def test_an_instant_that_no_calendar_has_is_refused(kind: str, form: Form) -> None:
    schema = schema_of({"type": "int" if kind == "date" else "long", "logicalType": kind})
    value = written(schema_of("long"), {"f": 2**62 if kind != "date" else 2**31 - 1})
    with pytest.raises((OverflowError, ValueError)):
        straight_reader(schema, form)(value, 0)


def schema_of(kind: Any) -> Any:
    return parse_schema({"type": "record", "name": "R", "fields": [{"name": "f", "type": kind}]})


@pytest.mark.parametrize("count", [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2**63 - 1, -(2**63)])
def test_numbers_of_every_length(count: int) -> None:
    schema = schema_of("long")
    value = written(schema, {"f": count})
    assert straight_reader(schema)(value, 0) == ({"f": count}, len(value))


def test_blocks_that_tell_their_size() -> None:
    # Two blocks: one of two items after its negative count and its bytes, one of one item.
    value = bytes([0x03, 0x04, 0x02, 0x04, 0x02, 0x06, 0x00])
    schema = schema_of({"type": "array", "items": "long"})
    assert by_the_library(schema, value) == {"f": [1, 2, 3]}
    assert straight_reader(schema)(value, 0) == ({"f": [1, 2, 3]}, len(value))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", b"\x01"),
        ("bytes", b"\x05abc"),
        (["null", "string"], b"\x04"),
        (["null", "string"], b"\x01"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, b"\x02"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, b"\x01"),
        ("long", b"\xff" * 10 + b"\x01"),
        ("string", b"\x02\xff"),
    ],
    ids=range(8),
)
def test_what_is_outside_of_the_schema_is_refused(kind: Any, value: bytes) -> None:
    with pytest.raises((IndexError, ValueError)):
        straight_reader(schema_of(kind))(value, 0)


def test_a_type_that_no_event_has_is_told() -> None:
    with pytest.raises(NotStraight):
        straight_reader(schema_of("double"))
