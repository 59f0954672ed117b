"""What is known of politicians and companies as of a trigger: committee seats and sectors. Pure.

The book keeps every fact it was given and answers for any instant, so that a replay years later gets what a decision
got: only facts that had occurred by the trigger, hold on its day in New York, and stand within the positions read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from services.decider.views.view import Reference, Seat, Sector, Trigger, View
from tradetrail.events import Event
from tradetrail.events.generated import (
    Cause,
    CommitteeMembershipRecorded,
    LogPosition,
    ReferenceFact,
    SeatChange,
    SectorRecorded,
)
from tradetrail.sessions import new_york_date

SEAT, SECTOR = "committee_seat", "sector"
# What the book takes; the rest of the topic tells it nothing.
FACTS = frozenset({CommitteeMembershipRecorded.TYPE, SectorRecorded.TYPE})

_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class _Fact(Generic[_V]):
    """One statement about a seat or a company; ``says`` is None where a seat ended."""

    valid_from: date
    occurred_at: datetime
    place: Cause
    says: _V | None


@dataclass(frozen=True, slots=True)
class _AsOf:
    """The border between what counts and what doesn't: an instant (UTC), its day in New York, offsets by partition."""

    occurred_at: datetime
    day: date
    through: Mapping[tuple[str, int], int]

    def holds(self, fact: _Fact[_V]) -> bool:
        place = fact.place
        return (
            fact.occurred_at <= self.occurred_at
            and fact.valid_from <= self.day
            and place.offset <= self.through.get((place.topic, place.partition), -1)
        )


class ReferenceBook:
    """Every recorded seat and sector, with its history: some thousand facts, a few hundred more a year."""

    def __init__(self) -> None:
        """Begin empty."""
        self._seats: dict[str, dict[str, list[_Fact[Seat]]]] = {}
        self._sectors: dict[str, list[_Fact[Sector]]] = {}

    def take(self, event: Event, place: Cause) -> None:
        """Take one event of the reference topic; ``place`` is its own. Others than seats and sectors change nothing."""
        if isinstance(event, CommitteeMembershipRecorded):
            seat = None if event.change is SeatChange.ENDED else _seat(event, place)
            held = self._seats.setdefault(event.politician_id, {})
            history = held.setdefault(event.committee_id, [])
            history.append(_Fact(event.valid_from, event.occurred_at, place, seat))
        elif isinstance(event, SectorRecorded) and event.symbol is not None:
            sector = Sector(event.sector, _fact(SECTOR, event.symbol, event.sector, place))
            known = self._sectors.setdefault(event.symbol, [])
            known.append(_Fact(event.valid_from, event.occurred_at, place, sector))

    def as_of(
        self,
        symbol: str,
        people: Iterable[str | None],
        occurred_at: datetime,
        through: Sequence[LogPosition],
    ) -> Reference:
        """Return the company's sector, and the seats of ``people`` (BioGuide ids; None is nobody), for a trigger.

        ``occurred_at`` is the trigger's. ``through`` says how far the reference topic counts, offsets inclusive; a
        partition that it does not name does not count. Facts taken beyond it never change the answer.
        """
        offsets = {(position.topic, position.partition): position.offset for position in through}
        border = _AsOf(occurred_at, new_york_date(occurred_at), offsets)
        seats = {
            person: found
            for person in sorted({each for each in people if each})
            if (found := self._seats_of(person, border.holds))
        }
        return Reference(_newest(self._sectors.get(symbol, ()), border.holds), seats)

    def completed(self, view: View, trigger: Trigger, through: Sequence[LogPosition]) -> View:
        """Return a view with the facts of its symbol and of all politicians in it, as of its trigger."""
        people = {each.person_id for each in view.disclosures}
        found = self.as_of(trigger.symbol, people, trigger.occurred_at, through)
        return replace(view, reference=found)

    def _seats_of(self, person: str, holds: Callable[[_Fact[Seat]], bool]) -> tuple[Seat, ...]:
        """Return the seats in the order of their committees' ids."""
        committees = sorted(self._seats.get(person, {}).items())
        found = (_newest(history, holds) for _, history in committees)
        return tuple(seat for seat in found if seat is not None)


class FactSource(Protocol):
    """Where the book comes from."""

    @property
    def book(self) -> ReferenceBook:
        """Return the book as of the last reading."""

    def up_to_date(self) -> tuple[LogPosition, ...]:
        """Read what is new; return how far the topic was read. Raises Retryable while it can't be."""


class NoFacts:
    """A source of nothing, where no reference topic is read."""

    book = ReferenceBook()

    def up_to_date(self) -> tuple[LogPosition, ...]:
        """Return that nothing was read."""
        return ()


def _newest(history: Iterable[_Fact[_V]], holds: Callable[[_Fact[_V]], bool]) -> _V | None:
    """Return what holds: the latest to begin, of those that begin on one day the last recorded."""
    counted = [fact for fact in history if holds(fact)]
    if not counted:
        return None
    return max(counted, key=lambda f: (f.valid_from, f.place.partition, f.place.offset)).says


def _seat(event: CommitteeMembershipRecorded, place: Cause) -> Seat:
    role = f" ({event.role})" if event.role else ""
    says = f"{event.committee_id} {event.committee_name}{role}"
    fact = _fact(SEAT, event.politician_id, says, place)
    return Seat(event.committee_id, event.committee_name, event.role, fact)


def _fact(kind: str, subject: str, value: str, place: Cause) -> ReferenceFact:
    return ReferenceFact(
        kind=kind,
        subject=subject,
        value=value,
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        event_id=place.event_id,
    )
