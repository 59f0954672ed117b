"""The exchange's sessions: holidays, half days, daylight saving, and the edges of a session."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from tradetrail import sessions


def test_weekends_and_holidays_are_no_sessions() -> None:
    assert sessions.is_session(date(2020, 1, 2))
    assert not sessions.is_session(date(2020, 1, 1))
    assert not sessions.is_session(date(2020, 1, 4))
    with pytest.raises(ValueError, match="2020-01-01 is no session"):
        sessions.session_open(date(2020, 1, 1))


@pytest.mark.parametrize(
    ("day", "opens_at", "closes_at"),
    [
        (date(2020, 1, 2), "2020-01-02T14:30:00+00:00", "2020-01-02T21:00:00+00:00"),
        (date(2020, 7, 1), "2020-07-01T13:30:00+00:00", "2020-07-01T20:00:00+00:00"),
        (date(2020, 11, 27), "2020-11-27T14:30:00+00:00", "2020-11-27T18:00:00+00:00"),
    ],
    ids=["winter", "summer", "half day"],
)
def test_opens_and_closes_in_utc(day: date, opens_at: str, closes_at: str) -> None:
    assert sessions.session_open(day) == datetime.fromisoformat(opens_at)
    assert sessions.session_close(day) == datetime.fromisoformat(closes_at)
    assert sessions.session_open(day).tzinfo is UTC


def test_neighbours_of_a_day() -> None:
    assert sessions.next_session(date(2020, 1, 3)) == date(2020, 1, 6)
    assert sessions.next_session(date(2020, 1, 4)) == date(2020, 1, 6)
    assert sessions.previous_session(date(2020, 1, 6)) == date(2020, 1, 3)
    assert sessions.session_on_or_after(date(2020, 1, 1)) == date(2020, 1, 2)
    assert sessions.session_on_or_before(date(2020, 1, 1)) == date(2019, 12, 31)
    assert sessions.sessions(date(2020, 1, 1), date(2020, 1, 6)) == [
        date(2020, 1, 2),
        date(2020, 1, 3),
        date(2020, 1, 6),
    ]


def test_the_open_belongs_to_the_session_and_the_close_does_not() -> None:
    day = date(2020, 1, 2)
    moment = timedelta(microseconds=1)
    assert sessions.session_at(sessions.session_open(day) - moment) is None
    assert sessions.session_at(sessions.session_open(day)) == day
    assert sessions.session_at(sessions.session_close(day) - moment) == day
    assert sessions.session_at(sessions.session_close(day)) is None


def test_the_calendar_ends_with_a_clear_error() -> None:
    with pytest.raises(ValueError, match="no session after"):
        sessions.next_session(sessions.last_session())
    with pytest.raises(ValueError, match="no session before"):
        sessions.previous_session(sessions.first_session())


def test_naive_instants_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sessions.session_at(datetime(2020, 1, 2, 12))  # noqa: DTZ001


def test_new_york_wall_time() -> None:
    instant = sessions.new_york(date(2020, 7, 1), time(7, 0))
    assert instant == datetime(2020, 7, 1, 11, tzinfo=UTC)
    assert sessions.new_york_date(datetime(2020, 7, 2, 2, tzinfo=UTC)) == date(2020, 7, 1)
