"""Which slots of the schedule are due. Pure: instants come in, slots come out.

A slot is a task at its time of day on one day in New York. It fires once, on its own day; whatever does not fire is
skipped for a reason, and said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.ingestor.settings import ScheduleEntry
from services.ingestor.tasks import TASKS
from tradetrail.sessions import is_session, new_york, new_york_date

# How far ahead the next slot is looked for; the longest the exchange was ever closed is shorter.
_LOOK_AHEAD_DAYS = 10
# How far back skipped slots are named; a jump of a simulated clock over years need not list them all.
_SKIPPED_DAYS_MAX = 31
_ORDER = {name: position for position, name in enumerate(TASKS)}


@dataclass(frozen=True, slots=True)
class Slot:
    """One firing of one task: when (UTC), and on which day in New York."""

    task: str
    day: date
    at: datetime

    @property
    def name(self) -> str:
        """Return the slot's name, as it stands in the run it begins."""
        return f"schedule {self.at.isoformat()}"


class Reason(StrEnum):
    """Why a slot did not fire; docs/ingestor.md tells what follows from each."""

    NO_SESSION = "no_session"
    """The exchange has no session on that day."""
    WEEKEND = "weekend"
    """It is a Saturday or a Sunday."""
    DAY_OVER = "day_over"
    """Its day was over before it could run: the process was down or busy."""
    ALREADY_RUN = "already_run"
    """A run of its task began on its day, at or after its time."""
    ALREADY_RUNNING = "already_running"
    """Another run of its data source held the lock."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A slot that did not fire."""

    slot: Slot
    reason: Reason


def slots_of(entries: Sequence[ScheduleEntry], day: date) -> list[Slot]:
    """Return the slots of ``day`` in the order they run: by time, then by task."""
    found = [
        Slot(entry.task, day, new_york(day, entry.at)) for entry in entries if _applies(entry, day)
    ]
    return sorted(found, key=lambda slot: (slot.at, _ORDER[slot.task]))


def due(entries: Sequence[ScheduleEntry], now: datetime, fired: Iterable[Slot]) -> list[Slot]:
    """Return the slots of today (New York) that are due at ``now`` and have not fired."""
    done = set(fired)
    today = slots_of(entries, new_york_date(now))
    return [slot for slot in today if slot.at <= now and slot not in done]


def skipped(
    entries: Sequence[ScheduleEntry], since: datetime, now: datetime, fired: Iterable[Slot]
) -> list[Slot]:
    """Return the slots after ``since`` and before today that did not fire; at most the last month's."""
    done = set(fired)
    today = new_york_date(now)
    day = max(new_york_date(since), today - timedelta(days=_SKIPPED_DAYS_MAX))
    missed = []
    while day < today:
        missed += [s for s in slots_of(entries, day) if s.at > since and s not in done]
        day += timedelta(days=1)
    return missed


def off_days(entries: Sequence[ScheduleEntry], since: datetime, now: datetime) -> list[Skip]:
    """Return what would have been due after ``since`` and until ``now``, had it not been a day without such slots.

    At most the last month's.
    """
    today = new_york_date(now)
    day = max(new_york_date(since), today - timedelta(days=_SKIPPED_DAYS_MAX))
    found = []
    while day <= today:
        for entry in entries:
            slot = Slot(entry.task, day, new_york(day, entry.at))
            if since < slot.at <= now and not _applies(entry, day):
                reason = Reason.NO_SESSION if entry.days == "sessions" else Reason.WEEKEND
                found.append(Skip(slot, reason))
        day += timedelta(days=1)
    return found


def upcoming(entries: Sequence[ScheduleEntry], now: datetime) -> dict[str, datetime]:
    """Return the next instant of each scheduled task after ``now``."""
    found: dict[str, datetime] = {}
    day = new_york_date(now)
    for ahead in range(_LOOK_AHEAD_DAYS):
        for slot in slots_of(entries, day + timedelta(days=ahead)):
            if slot.at > now:
                found.setdefault(slot.task, slot.at)
        if len(found) == len({entry.task for entry in entries}):
            break
    return found


def _applies(entry: ScheduleEntry, day: date) -> bool:
    if entry.days == "daily":
        return True
    return day.weekday() < 5 if entry.days == "weekdays" else is_session(day)
