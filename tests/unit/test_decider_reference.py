"""Seats and sectors as of a trigger: what counts, from when, until when, and what may never count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.decider.views.reference import ReferenceBook
from services.decider.views.view import NO_REFERENCE, Reference
from tests.reference_facts import TOPIC, at, place, seat, sector
from tradetrail.events.generated import (
    CommitteeMembershipRecorded,
    LogPosition,
    SeatChange,
    SectorRecorded,
)

DAY = date(2024, 3, 15)
ASKED_AT = at(DAY, 7)
Fact = CommitteeMembershipRecorded | SectorRecorded


def book_of(facts: Sequence[Fact]) -> ReferenceBook:
    book = ReferenceBook()
    for offset, fact in enumerate(facts):
        book.take(fact, place(offset))
    return book


def through(offset: int, partition: int = 0) -> tuple[LogPosition, ...]:
    return (LogPosition(topic=TOPIC, partition=partition, offset=offset),)


def asked(
    *facts: Fact,
    when: datetime = ASKED_AT,
    offset: int = 99,
    people: Sequence[str | None] = ("A1",),
) -> Reference:
    return book_of(facts).as_of("XOM", people, when, through(offset))


def seats(found: Reference) -> dict[str, list[str]]:
    return {person: [seat.committee_id for seat in held] for person, held in found.seats.items()}


def test_a_fact_says_what_it_says_and_where_it_stands() -> None:
    found = asked(
        sector("XOM", "Energy", DAY), seat("A1", "HSIF", DAY, role="Chair"), seat("B2", "HSAG", DAY)
    )
    assert found.sector is not None
    assert (found.sector.name, found.sector.fact.subject, found.sector.fact.kind) == (
        "Energy",
        "XOM",
        "sector",
    )
    (held,) = found.seats["A1"]
    assert (held.committee_id, held.committee_name, held.role) == (
        "HSIF",
        "Committee HSIF",
        "Chair",
    )
    assert (held.fact.kind, held.fact.subject, held.fact.value) == (
        "committee_seat",
        "A1",
        "HSIF Committee HSIF (Chair)",
    )
    assert (held.fact.topic, held.fact.partition, held.fact.offset) == (TOPIC, 0, 1)
    assert held.fact.event_id == "event-1"
    assert list(found.seats) == ["A1"]


def test_nothing_is_known_of_nobody() -> None:
    assert asked(seat("A1", "HSIF", DAY), people=(None, "", "Z9")) == NO_REFERENCE
    assert ReferenceBook().as_of("XOM", ["A1"], ASKED_AT, through(9)) == NO_REFERENCE


def test_seats_come_in_the_order_of_committees_and_people() -> None:
    facts: list[Fact] = [
        seat("B2", "HSIF03", DAY),
        seat("A1", "SSBK", DAY),
        seat("B2", "HSAG", DAY),
    ]
    found = asked(*facts, people=("B2", "A1", "B2"))
    assert list(seats(found).items()) == [("A1", ["SSBK"]), ("B2", ["HSAG", "HSIF03"])]


def test_a_fact_counts_from_its_own_instant_on() -> None:
    one = seat("A1", "HSIF", DAY, occurred_at=ASKED_AT)
    assert seats(asked(one)) == {"A1": ["HSIF"]}
    assert asked(one, when=ASKED_AT - timedelta(microseconds=1)) == NO_REFERENCE


def test_a_fact_counts_from_the_day_it_is_valid_in_new_york() -> None:
    tomorrow = seat("A1", "HSIF", DAY, valid_from=DAY + timedelta(days=1))
    # 03:59 UTC of the next day is still the same day in New York.
    midnight = at(DAY + timedelta(days=1), 0)
    assert asked(tomorrow, when=midnight - timedelta(minutes=1)) == NO_REFERENCE
    assert seats(asked(tomorrow, when=midnight)) == {"A1": ["HSIF"]}


def test_an_ended_seat_is_none_and_may_begin_again() -> None:
    began, ended, again = (DAY - timedelta(days=n) for n in (30, 20, 10))
    facts: list[Fact] = [
        seat("A1", "HSIF", began),
        seat("A1", "HSAG", began),
        seat("A1", "HSIF", ended, SeatChange.ENDED),
        seat("A1", "HSIF", again),
    ]
    assert seats(asked(*facts, when=at(began, 7))) == {"A1": ["HSAG", "HSIF"]}
    assert seats(asked(*facts, when=at(ended, 7))) == {"A1": ["HSAG"]}
    assert seats(asked(*facts, when=at(again, 7))) == {"A1": ["HSAG", "HSIF"]}
    assert seats(asked(*facts, offset=2)) == {"A1": ["HSAG"]}


def test_a_changed_seat_and_sector_replace_the_old_ones() -> None:
    before = DAY - timedelta(days=9)
    found = asked(
        sector("XOM", "Energy", before),
        seat("A1", "HSIF", before),
        sector("XOM", "Materials", DAY),
        seat("A1", "HSIF", DAY, SeatChange.UPDATED, role="Chair"),
    )
    assert found.sector is not None
    assert found.sector.name == "Materials"
    assert [held.role for held in found.seats["A1"]] == ["Chair"]


def test_what_began_later_holds_whenever_it_was_recorded() -> None:
    late = sector("XOM", "Energy", DAY, valid_from=DAY - timedelta(days=99))
    found = asked(sector("XOM", "Materials", DAY - timedelta(days=5)), late)
    assert found.sector is not None
    assert found.sector.name == "Materials"


def test_what_was_not_read_does_not_count() -> None:
    facts: list[Fact] = [sector("XOM", "Energy", DAY), seat("A1", "HSIF", DAY)]
    assert asked(*facts, offset=0).seats == {}
    assert asked(*facts, offset=-1) == NO_REFERENCE
    assert book_of(facts).as_of("XOM", ["A1"], ASKED_AT, ()) == NO_REFERENCE
    assert book_of(facts).as_of("XOM", ["A1"], ASKED_AT, through(9, partition=1)) == NO_REFERENCE


DAYS = st.integers(-40, 40).map(lambda n: DAY + timedelta(days=n))
FACTS = st.one_of(
    st.builds(
        seat,
        st.sampled_from(["A1", "B2", "C3"]),
        st.sampled_from(["HSIF", "HSIF03", "SSBK"]),
        DAYS,
        st.sampled_from(list(SeatChange)),
        valid_from=DAYS,
    ),
    st.builds(
        sector,
        st.sampled_from(["XOM", "AAPL"]),
        st.sampled_from(["Energy", "Materials"]),
        DAYS,
        valid_from=DAYS,
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(FACTS, max_size=12), st.lists(FACTS, max_size=12), DAYS)
def test_facts_beyond_what_was_read_never_change_an_answer(
    read: list[Fact], later: list[Fact], day: date
) -> None:
    people, when = ["A1", "B2", "C3"], at(day, 7)
    before = book_of(read).as_of("XOM", people, when, through(len(read) - 1))
    after = book_of([*read, *later]).as_of("XOM", people, when, through(len(read) - 1))
    assert before == after


@settings(max_examples=60, deadline=None)
@given(st.lists(FACTS, max_size=16), DAYS)
def test_facts_that_had_not_occurred_or_begun_never_change_an_answer(
    facts: list[Fact], day: date
) -> None:
    people, when = ["A1", "B2", "C3"], at(day, 7)
    # The others keep their places, as if the rest had never been recorded.
    known = ReferenceBook()
    for offset, fact in enumerate(facts):
        if fact.occurred_at <= when and fact.valid_from <= day:
            known.take(fact, place(offset))
    assert book_of(facts).as_of("XOM", people, when, through(99)) == known.as_of(
        "XOM", people, when, through(99)
    )


@pytest.mark.parametrize("symbol", ["XOM", "AAPL"])
def test_a_sector_is_its_own_companys(symbol: str) -> None:
    book = book_of([sector("XOM", "Energy", DAY), sector("AAPL", "Information Technology", DAY)])
    found = book.as_of(symbol, (), ASKED_AT, through(9)).sector
    assert found is not None
    assert found.fact.subject == symbol
