"""What is judged of each partition: from where to where, on either side. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.auditor.verify.asked import Window
from services.auditor.verify.logged import Extent
from services.auditor.verify.stored import BEFORE_ALL
from tradetrail.log.reader import Place

NOT_THERE = Extent(0, 0)


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of a window in a partition: from the first, inclusive, to the end, exclusive; None where it is open."""

    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A partition: the audited position, the log's extent, and what of the events before the position is judged.

    ``start`` is the window's, or later where an earlier run found the beginning good.
    """

    place: Place
    position: int
    extent: Extent
    window_start: int
    start: int
    end: int

    @property
    def log_start(self) -> int:
        """Return from where the log is read."""
        return max(self.start, self.extent.low)

    @property
    def log_end(self) -> int:
        """Return to where the log is read."""
        return min(self.end, self.extent.end)

    @property
    def behind(self) -> int:
        """Return how many offsets of the log were not audited yet; they are not judged."""
        return max(self.extent.end - self.position, 0)


def chosen(places: Collection[Place], window: Window) -> list[Place]:
    """Return the places that lie in a window's topic and partition, in order."""
    return sorted(
        place
        for place in places
        if window.topic in (None, place[0]) and window.partition in (None, place[1])
    )


def judged(
    place: Place,
    positions: Mapping[Place, int],
    extents: Mapping[Place, Extent],
    span: Span,
    good_to: int | None,
) -> Judged:
    """Return what is judged of a partition; ``good_to`` is how far an earlier run found it good."""
    position = positions.get(place, 0)
    start = BEFORE_ALL if span.start is None else span.start
    end = position if span.end is None else min(position, span.end)
    begin = start if good_to is None else max(start, good_to)
    return Judged(place, position, extents.get(place, NOT_THERE), start, begin, end)
