"""Committee seats: read from the congress-legislators files, compared with what the log says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tradetrail.events.generated import CommitteeMembershipRecorded, SeatChange

# A subcommittee's id is its committee's (four letters) and two digits.
_COMMITTEE_ID_LENGTH = 4
_PARTIES = {
    "republican": "R",
    "democrat": "D",
    "democratic": "D",
    "independent": "I",
    "libertarian": "L",
}
_CHAMBERS = {"rep": "House", "sen": "Senate"}


@dataclass(frozen=True, slots=True)
class Seat:
    """One politician's seat on one committee or subcommittee."""

    politician_id: str
    politician_name: str
    party: str | None
    state: str | None
    chamber: str | None
    committee_id: str
    committee_name: str
    role: str | None
    side: str | None
    rank_in_party: int | None

    @property
    def key(self) -> tuple[str, str]:
        """Return what identifies the seat."""
        return (self.politician_id, self.committee_id)


class SeatBook:
    """The seats that the log says are held."""

    def __init__(self) -> None:
        """Begin empty."""
        self._held: dict[tuple[str, str], Seat] = {}
        self.changed_on: date | None = None

    def take(self, event: CommitteeMembershipRecorded) -> None:
        """Take one recorded seat."""
        self.changed_on = max(self.changed_on or event.valid_from, event.valid_from)
        seat = Seat(**{name: getattr(event, name) for name in Seat.__slots__})
        if event.change is SeatChange.ENDED:
            self._held.pop(seat.key, None)
        else:
            self._held[seat.key] = seat

    def changes(self, now_held: Iterable[Seat]) -> list[tuple[SeatChange, Seat]]:
        """Return what ``now_held`` changes: new and altered seats, then those that ended, in a fixed order."""
        found = {seat.key: seat for seat in now_held}
        changed = [
            (SeatChange.UPDATED if key in self._held else SeatChange.CREATED, seat)
            for key, seat in sorted(found.items())
            if self._held.get(key) != seat
        ]
        ended = [
            (SeatChange.ENDED, seat) for key, seat in sorted(self._held.items()) if key not in found
        ]
        return changed + ended


def read_seats(committees: Any, membership: Any, legislators: Any) -> list[Seat]:
    """Return the seats that the three files tell of; one politician's seat on one committee once.

    Raises ValueError when a file has another shape than documented: names which, and where.
    """
    names = _committee_names(committees)
    people = _people(legislators)
    if not isinstance(membership, Mapping):
        raise ValueError("committee-membership-current.json: an object by committee id is expected")
    seats: dict[tuple[str, str], Seat] = {}
    for committee_id, members in membership.items():
        if not isinstance(members, list):
            raise ValueError(f"committee-membership-current.json: {committee_id} holds no list")
        for place, member in enumerate(members):
            seat = _seat(committee_id, names, people, member, place)
            seats.setdefault(seat.key, seat)
    return list(seats.values())


def _committee_names(committees: Any) -> dict[str, str]:
    names: dict[str, str] = {}
    for place, entry in enumerate(_list(committees, "committees-current.json")):
        try:
            names[entry["thomas_id"]] = entry["name"]
            for part in entry.get("subcommittees") or ():
                names[entry["thomas_id"] + part["thomas_id"]] = f"{entry['name']}: {part['name']}"
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"committees-current.json: entry {place} lacks {error}") from error
    return names


def _people(legislators: Any) -> dict[str, dict[str, Any]]:
    people = {}
    for place, entry in enumerate(_list(legislators, "legislators-current.json")):
        try:
            term = entry["terms"][-1] if entry.get("terms") else {}
            party = term.get("party")
            people[entry["id"]["bioguide"]] = {
                "party": _PARTIES.get(str(party).casefold(), party),
                "state": term.get("state"),
                "chamber": _CHAMBERS.get(str(term.get("type"))),
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"legislators-current.json: entry {place} lacks {error}") from error
    return people


def _seat(
    committee_id: str,
    names: Mapping[str, str],
    people: Mapping[str, dict[str, Any]],
    member: Any,
    place: int,
) -> Seat:
    try:
        person = people.get(member["bioguide"], {})
        rank = member.get("rank")
        return Seat(
            politician_id=member["bioguide"],
            politician_name=member["name"],
            party=person.get("party"),
            state=person.get("state"),
            chamber=person.get("chamber"),
            committee_id=committee_id,
            committee_name=names.get(
                committee_id, names.get(committee_id[:_COMMITTEE_ID_LENGTH], committee_id)
            ),
            role=member.get("title"),
            side=member.get("party"),
            rank_in_party=rank if isinstance(rank, int) else None,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"committee-membership-current.json: member {place} of {committee_id} lacks {error}"
        ) from error


def _list(content: Any, name: str) -> list[Any]:
    if not isinstance(content, list):
        raise ValueError(f"{name}: a list is expected")
    return content
