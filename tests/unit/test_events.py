"""Typed events keep every value on their way over the wire."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

import fastavro
import pytest
from hypothesis import given, settings

from tests.unit.event_strategies import any_event
from tradetrail.events import CATALOGUE, Event, from_datum, to_datum
from tradetrail.events.generated import ConfigurationRecorded, ExecutionKept, OrderStatus
from tradetrail.events.schemas import envelope_schema, parsed_schema


def over_the_wire(event: Event) -> Event:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, parsed_schema(event.TYPE), to_datum(event))
    buffer.seek(0)
    datum = fastavro.schemaless_reader(buffer, parsed_schema(event.TYPE), None)
    assert isinstance(datum, dict)
    return from_datum(event.TYPE, datum)


@given(any_event())
@settings(max_examples=300, deadline=None)
def test_an_event_comes_back_as_it_went(event: Event) -> None:
    assert over_the_wire(event) == event


@given(any_event())
@settings(max_examples=100, deadline=None)
def test_the_envelope_can_be_read_alone(event: Event) -> None:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, parsed_schema(event.TYPE), to_datum(event))
    buffer.seek(0)
    envelope = fastavro.schemaless_reader(buffer, envelope_schema(), None)
    assert isinstance(envelope, dict)
    assert envelope["event_id"] == event.event_id
    assert envelope["symbol"] == event.symbol
    assert envelope["occurred_at"] == event.occurred_at


def kept(reserved_usd: Decimal) -> ExecutionKept:
    return ExecutionKept(
        event_id="e",
        occurred_at=datetime(2024, 1, 2, tzinfo=UTC),
        service="executor",
        service_version="1",
        instance="i",
        execution_id="x",
        decision_id="d",
        attempt_number=1,
        client_order_id="c",
        account="a",
        status=OrderStatus.SUBMITTED,
        reserved_usd=reserved_usd,
    )


def test_money_is_rounded_half_even_to_the_scale_of_the_wire() -> None:
    back = over_the_wire(kept(Decimal("0.0000000005")))
    assert isinstance(back, ExecutionKept)
    assert back.reserved_usd == Decimal("0E-9")


def test_money_too_large_for_the_wire_is_refused_by_the_producer() -> None:
    with pytest.raises(ArithmeticError):
        to_datum(kept(Decimal("1e30")))


def test_each_type_is_in_the_catalogue_under_its_full_name() -> None:
    assert CATALOGUE[ConfigurationRecorded.TYPE] is ConfigurationRecorded
    assert all(name == cls.TYPE for name, cls in CATALOGUE.items())
