"""Which slots are due at an instant: New York time, days of the exchange, once each, never late by a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from services.ingestor.schedule import Reason, due, off_days, skipped, slots_of, upcoming
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


def test_days_without_slots_are_told_with_the_reason() -> None:
    entries = (
        ScheduleEntry(task=CONGRESS, at=time(7, 0)),
        ScheduleEntry(task=INSIDER, at=time(8, 0), days="weekdays"),
        ScheduleEntry(task=SEATS, at=time(7, 0), days="daily"),
    )
    friday = new_york(date(2023, 12, 29), time(9, 0))
    new_year = new_york(date(2024, 1, 1), time(7, 0))
    told = [
        (s.slot.day.isoformat(), s.slot.task, s.reason) for s in off_days(entries, friday, new_year)
    ]
    assert told == [
        ("2023-12-30", CONGRESS, Reason.NO_SESSION),
        ("2023-12-30", INSIDER, Reason.WEEKEND),
        ("2023-12-31", CONGRESS, Reason.NO_SESSION),
        ("2023-12-31", INSIDER, Reason.WEEKEND),
        ("2024-01-01", CONGRESS, Reason.NO_SESSION),
    ]
    assert off_days(entries, new_year, new_year) == []


def test_a_jump_over_years_tells_of_the_last_month() -> None:
    told = off_days(ENTRIES, datetime(2014, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))
    assert 0 < len(told) < 31 * len(ENTRIES)


@pytest.mark.parametrize("reason", Reason)
def test_the_page_says_why_slots_are_skipped(reason: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "ingestor.md").read_text()
    assert f"`{reason}`" in page
