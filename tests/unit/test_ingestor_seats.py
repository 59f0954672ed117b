"""Committee seats out of the data set's three files, and what changed since the log last said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.ingestor.rows.seats import Seat, SeatBook, read_seats
from tradetrail.events.generated import CommitteeMembershipRecorded, SeatChange

COMMITTEES = [
    {
        "type": "house",
        "name": "House Committee on Agriculture",
        "thomas_id": "HSAG",
        "subcommittees": [{"name": "Forestry", "thomas_id": "15"}],
    }
]
MEMBER = {"name": "Ada Example", "party": "majority", "rank": 1, "title": "Chair", "bioguide": "E1"}
MEMBERSHIP = {"HSAG": [MEMBER], "HSAG15": [MEMBER]}
LEGISLATORS = [
    {
        "id": {"bioguide": "E1"},
        "name": {"official_full": "Ada Example"},
        "terms": [
            {"type": "rep", "state": "OR", "party": "Republican"},
            {"type": "sen", "state": "WA", "party": "Democrat"},
        ],
    }
]


def recorded(seat: Seat, change: SeatChange) -> CommitteeMembershipRecorded:
    return CommitteeMembershipRecorded(
        event_id="e",
        occurred_at=datetime(2024, 1, 2, tzinfo=UTC),
        service="ingestor",
        service_version="0",
        instance="test",
        valid_from=date(2024, 1, 2),
        change=change,
        run_id="r",
        api_call_id="c",
        **{name: getattr(seat, name) for name in Seat.__slots__},
    )


def test_a_seat_has_its_committee_and_the_person_of_the_last_term() -> None:
    seats = {seat.committee_id: seat for seat in read_seats(COMMITTEES, MEMBERSHIP, LEGISLATORS)}
    seat = seats["HSAG"]
    assert (seat.party, seat.state, seat.chamber) == ("D", "WA", "Senate")
    assert (seat.role, seat.side, seat.rank_in_party) == ("Chair", "majority", 1)
    assert seats["HSAG15"].committee_name == "House Committee on Agriculture: Forestry"


def test_only_what_changed_is_told() -> None:
    seats = read_seats(COMMITTEES, MEMBERSHIP, LEGISLATORS)
    book = SeatBook()
    changes = book.changes(seats)
    assert [change for change, _ in changes] == [SeatChange.CREATED] * 2
    for change, seat in changes:
        book.take(recorded(seat, change))
    assert book.changes(seats) == []
    moved = read_seats(COMMITTEES, {"HSAG": [MEMBER | {"title": None}]}, LEGISLATORS)
    assert [(c, s.committee_id) for c, s in book.changes(moved)] == [
        (SeatChange.UPDATED, "HSAG"),
        (SeatChange.ENDED, "HSAG15"),
    ]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (({}, MEMBERSHIP, LEGISLATORS), "committees-current"),
        ((COMMITTEES, [], LEGISLATORS), "committee-membership-current"),
        ((COMMITTEES, {"HSAG": [{"name": "X"}]}, LEGISLATORS), "member 0 of HSAG"),
        ((COMMITTEES, {"HSAG": None}, LEGISLATORS), "HSAG"),
        ((COMMITTEES, MEMBERSHIP, [{}]), "legislators-current"),
        ((["x"], MEMBERSHIP, LEGISLATORS), "committees-current"),
    ],
)
def test_a_file_of_another_shape_is_named(files: tuple[Any, Any, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_seats(*files)
