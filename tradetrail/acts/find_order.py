"""Finds what an id stands for: an open execution, or a decision or execution near the end of the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tradetrail.acts.asking import SEARCH_EVENTS_MAX
from tradetrail.acts.log import Log
from tradetrail.errors import NotRecorded
from tradetrail.events import Event
from tradetrail.events.generated import (
    DecisionMade,
    ExecutionKept,
    OrderBlocked,
    OrderSubmitting,
    OrderUpdated,
)
from tradetrail.log.codec import BadEvent
from tradetrail.log.reader import Place, end_offsets, places_of, read_range

# Looked at before the long search: what a person asks about was decided or sent just now.
RECENT_EVENTS = 5_000

_TELLING = (ExecutionKept, DecisionMade, OrderSubmitting, OrderUpdated, OrderBlocked)


@dataclass(frozen=True, slots=True)
class Found:
    """A decision, or one execution of it, and the symbol it concerns."""

    symbol: str
    decision_id: str
    execution_id: str | None


def find(log: Log, wanted: str) -> Found:
    """Return what the id ``wanted`` stands for. Raises NotRecorded when it isn't found within the bounds."""
    found = find_recent(log, wanted)
    if found is None:
        trade = places_of(log.settings, log.topics.trade())
        found = _first(_recent(log, trade, SEARCH_EVENTS_MAX, wanted), wanted)
    if found is None:
        raise NotRecorded(
            f"no decision or execution {wanted} is open or among the last {SEARCH_EVENTS_MAX:,} events of a partition; "
            "nothing was asked: copy the whole id, or name its symbol (--symbol)"
        )
    return found


def find_recent(log: Log, wanted: str) -> Found | None:
    """Return what the id stands for if it is an open execution or was told of just now: a search of milliseconds."""
    state = log.topics.executor_state
    open_now = _recent(log, places_of(log.settings, [state]), SEARCH_EVENTS_MAX, wanted)
    if (found := _first(open_now, wanted)) is not None:
        return found
    trade = places_of(log.settings, log.topics.trade())
    return _first(_recent(log, trade, RECENT_EVENTS, wanted), wanted)


def _first(events: Iterator[Event], wanted: str) -> Found | None:
    return next((found for event in events if (found := _told(event, wanted)) is not None), None)


def _recent(log: Log, places: list[Place], count: int, wanted: str) -> Iterator[Event]:
    """Yield events that hold the id anywhere among the last ``count`` offsets of each place."""
    ends = end_offsets(log.settings, places)
    starts = {place: max(0, end - count) for place, end in ends.items()}
    # Ids are plain text in an event's bytes: almost every event is passed over without being decoded.
    needle = wanted.encode()
    for message in read_range(log.settings, starts, ends):
        if message.value is None or needle not in message.value:
            continue
        try:
            yield log.codec.decode(message.value).event
        except BadEvent:
            continue


def _told(event: Event, wanted: str) -> Found | None:
    if not isinstance(event, _TELLING) or event.symbol is None:
        return None
    execution_id = None if isinstance(event, DecisionMade | OrderBlocked) else event.execution_id
    if wanted not in (event.decision_id, execution_id):
        return None
    return Found(event.symbol, event.decision_id, execution_id if execution_id == wanted else None)
