"""Reference facts as the ingestor records them, for tests: seats and sectors."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from tradetrail.events.generated import (
    Cause,
    CommitteeMembershipRecorded,
    SeatChange,
    SectorRecorded,
)
from tradetrail.ids import derive_id
from tradetrail.log.stamp import Stamp
from tradetrail.sessions import new_york

TOPIC = "trade.reference"


def at(day: date, hour: int = 6) -> datetime:
    """Return an hour of a day in New York, UTC."""
    return new_york(day, time(hour))


def place(offset: int, partition: int = 0) -> Cause:
    """Return a place on the reference topic."""
    return Cause(topic=TOPIC, partition=partition, offset=offset, event_id=f"event-{offset}")


def seat(
    person: str, committee: str, day: date, change: SeatChange = SeatChange.CREATED, **more: Any
) -> CommitteeMembershipRecorded:
    """Return a seat recorded on a morning and valid from that day, unless told otherwise."""
    said = {"valid_from": day, "role": None, "occurred_at": at(day)} | more
    occurred_at = said.pop("occurred_at")
    return CommitteeMembershipRecorded(
        event_id=str(derive_id("test-seat", person, committee, day.isoformat(), change)),
        **Stamp("ingestor", "test").envelope(occurred_at),
        politician_id=person,
        politician_name=person.title(),
        committee_id=committee,
        committee_name=f"Committee {committee}",
        change=change,
        run_id="run",
        api_call_id="call",
        **said,
    )


def sector(symbol: str, name: str, day: date, **more: Any) -> SectorRecorded:
    """Return a sector recorded on a morning and valid from that day, unless told otherwise."""
    said = {"valid_from": day, "occurred_at": at(day)} | more
    occurred_at = said.pop("occurred_at")
    return SectorRecorded(
        event_id=str(derive_id("test-sector", symbol, name, day.isoformat())),
        **Stamp("ingestor", "test").envelope(occurred_at),
        symbol=symbol,
        company_name=symbol.title(),
        sector=name,
        run_id="run",
        **said,
    )
