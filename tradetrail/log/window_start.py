"""Where in each partition a look-back begins: a bounded search by the events' own time.

Kafka's append times tell nothing here: a simulated clock may be years away from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import Consumer

from tradetrail.log.event_head import occurred_micros
from tradetrail.log.kafka import open_consumer
from tradetrail.log.reader import Place, read_messages
from tradetrail.settings import SharedSettings

# The search ends this close to the border: reading a few events too many is cheaper than finding it exactly.
CLOSE_ENOUGH = 2_000
# The time at the end of what was processed is looked for among so many offsets, then in ten times as many, and so on.
_LAST_OFFSETS = 100
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A step wants one event of each partition, not the megabyte that a fetch brings otherwise. Limiting what the client
# holds instead makes it wait a second whenever it holds that (13 s a search, against 0.7 s).
_SMALL_READS: Mapping[str, Any] = {"fetch.message.max.bytes": 65_536}


def window_starts(
    settings: SharedSettings, committed: Mapping[Place, int], reach: timedelta
) -> dict[Place, int]:
    """Return for each place an offset before which all events occurred more than ``reach`` before its last one.

    ``committed`` are the offsets where each place's processing goes on; only what stands before them is looked at.
    Takes about a dozen small reads for a million events, for all places together. Raises Retryable as reading does.
    """
    micros = reach // _MICROSECOND
    with _small_reader(settings) as consumer:
        last = _last_times(consumer, committed)
        bounds = {place: at - micros for place, at in last.items()}
        return dict.fromkeys(committed, 0) | _search(consumer, committed, bounds)


def starts_since(
    settings: SharedSettings, before: Mapping[Place, int], since: datetime
) -> dict[Place, int]:
    """Return for each place an offset, at most that of ``before``, before which all events occurred before ``since``.

    Clocks that differ are the caller's to allow for. Costs and raises as ``window_starts``.
    """
    bound = (since - _EPOCH) // _MICROSECOND
    with _small_reader(settings) as consumer:
        return _search(consumer, before, dict.fromkeys(before, bound))


def _search(
    consumer: Consumer, ends: Mapping[Place, int], bounds: Mapping[Place, int]
) -> dict[Place, int]:
    """Return for each place with a bound, in microseconds, how far all events below its end are older than that."""
    low = dict.fromkeys(bounds, 0)
    high = {place: ends[place] for place in bounds}
    while left := [place for place in high if high[place] - low[place] > CLOSE_ENOUGH]:
        middle = {place: (low[place] + high[place]) // 2 for place in left}
        found = _first_times(consumer, middle, high)
        for place in left:
            offset, at = found.get(place, (middle[place], bounds[place]))
            if at < bounds[place]:
                low[place] = offset + 1
            else:
                high[place] = middle[place]
    return low


@contextmanager
def _small_reader(settings: SharedSettings) -> Iterator[Consumer]:
    consumer = open_consumer(settings, **_SMALL_READS)
    try:
        yield consumer
    finally:
        consumer.close()


def _last_times(consumer: Consumer, committed: Mapping[Place, int]) -> dict[Place, int]:
    """Return the latest time among the last readable events of each place; none for a place without any."""
    latest: dict[Place, int] = {}
    back, left = _LAST_OFFSETS, {place: offset for place, offset in committed.items() if offset > 0}
    while left:
        starts = {place: max(offset - back, 0) for place, offset in left.items()}
        for place, _, message in read_messages(consumer, starts, left):
            if (at := occurred_micros(message.value())) is not None:
                latest[place] = max(at, latest.get(place, at))
        left = {
            place: offset
            for place, offset in left.items()
            if place not in latest and starts[place] > 0
        }
        back *= 10
    return latest


def _first_times(
    consumer: Consumer, starts: Mapping[Place, int], ends: Mapping[Place, int]
) -> dict[Place, tuple[int, int]]:
    """Return offset and time of the first readable event of each place between its start and its end."""
    found: dict[Place, tuple[int, int]] = {}
    for place, offset, message in read_messages(consumer, starts, {p: ends[p] for p in starts}):
        if place not in found and (at := occurred_micros(message.value())) is not None:
            found[place] = (offset, at)
            if len(found) == len(starts):
                break
    return found
