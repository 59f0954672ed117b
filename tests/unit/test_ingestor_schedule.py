"""Which slots are due at an instant: New York time, days of the exchange, once each, never late by a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from services.ingestor.schedule import due, skipped, slots_of, upcoming
from services.ingestor.settings import ScheduleEntry
from tradetrail.sessions import new_york

CONGRESS, INSIDER, SEATS = (
    "data_fetch:congress_daily",
    "data_fetch:insider_daily",
    "data_fetch:committees",
)
ENTRIES = tuple(ScheduleEntry(task=task, at=time(7, 0)) for task in (INSIDER, CONGRESS, SEATS))
TUESDAY = date(2024, 1, 2)


def test_tasks_of_one_time_run_reference_facts_first() -> None:
    assert [slot.task for slot in slots_of(ENTRIES, TUESDAY)] == [SEATS, CONGRESS, INSIDER]


def test_a_slot_is_due_from_its_instant_on_and_once() -> None:
    seven = new_york(TUESDAY, time(7, 0))
    assert due(ENTRIES, seven - timedelta(microseconds=1), ()) == []
    slots = due(ENTRIES, seven, ())
    assert len(slots) == 3
    assert due(ENTRIES, seven + timedelta(hours=5), slots) == []


def test_the_instant_follows_new_yorks_clock_changes() -> None:
    assert new_york(TUESDAY, time(7, 0)).hour == 12
    assert slots_of(ENTRIES, date(2024, 7, 2))[0].at.hour == 11


def test_holidays_and_weekends_have_no_session_slots() -> None:
    assert slots_of(ENTRIES, date(2024, 1, 1)) == []
    weekdays = (ScheduleEntry(task=CONGRESS, at=time(7, 0), days="weekdays"),)
    assert len(slots_of(weekdays, date(2024, 1, 1))) == 1
    assert slots_of(weekdays, date(2024, 1, 6)) == []
    daily = (ScheduleEntry(task=CONGRESS, at=time(7, 0), days="daily"),)
    assert len(slots_of(daily, date(2024, 1, 6))) == 1


def test_slots_of_days_that_are_over_are_named_not_due() -> None:
    thursday = datetime(2024, 1, 4, 15, 0, tzinfo=UTC)
    monday = datetime(2024, 1, 1, 15, 0, tzinfo=UTC)
    assert {slot.day for slot in due(ENTRIES, thursday, ())} == {date(2024, 1, 4)}
    missed = skipped(ENTRIES, monday, thursday, ())
    assert {slot.day for slot in missed} == {TUESDAY, date(2024, 1, 3)}
    assert skipped(ENTRIES, monday, thursday, missed) == []


def test_the_next_slots_are_told() -> None:
    friday_noon = datetime(2024, 1, 5, 17, 0, tzinfo=UTC)
    assert set(upcoming(ENTRIES, friday_noon).values()) == {new_york(date(2024, 1, 8), time(7, 0))}
