"""Where a table may rightly say more than was projected: what the auditor wrote since, what lies outside a window.

A column group whose guard lies in such a stretch of the log is not judged, unless the projection has the same guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.auditor.verify.bounds import Judged
from tradetrail.log.reader import Place

_FIRST, _LAST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets of a partition from the first, inclusive, to the end, exclusive."""

    place: Place
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Excuses:
    """The stretches, and whether the projection is of a window only."""

    stretches: tuple[Stretch, ...]
    windowed: bool

    @property
    def arguments(self) -> dict[str, Sequence[Any]]:
        """Return them as arrays for a statement."""
        return {
            "topics": [each.place[0] for each in self.stretches],
            "partitions": [each.place[1] for each in self.stretches],
            "firsts": [each.first for each in self.stretches],
            "ends": [each.end for each in self.stretches],
        }


def of_whole(projected: Mapping[Place, int], now: Mapping[Place, int]) -> Excuses:
    """Return what the auditor wrote since: from each position projected to, to the one of the snapshot compared."""
    moved = (
        Stretch(place, projected.get(place, 0), end)
        for place, end in sorted(now.items())
        if end > projected.get(place, 0)
    )
    return Excuses(tuple(moved), windowed=False)


def of_window(judged: Iterable[Judged], places: Iterable[Place]) -> Excuses:
    """Return everything but the window: all of the ``places`` that are not judged, and the rest of those that are."""
    inside = {each.place: each for each in judged}
    found = []
    for place in sorted(set(places) | set(inside)):
        if each := inside.get(place):
            found += [Stretch(place, _FIRST, each.window_start), Stretch(place, each.end, _LAST)]
        else:
            found.append(Stretch(place, _FIRST, _LAST))
    return Excuses(tuple(found), windowed=True)
