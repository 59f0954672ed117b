"""Which days of report the completed runs of each task cover. Pure: a fold of runs into disjoint ranges of days.

A day counts as covered once a run that asked for it began on a later day in New York: what is reported on a day is
known when the day is over. A day of which a run saw only the morning is left to the next one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from tradetrail.events.generated import IngestionRunStarted
from tradetrail.sessions import new_york_date

_DAY = timedelta(days=1)


class Days(NamedTuple):
    """A range of days, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        """Return the range as people write it."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


class Coverage:
    """The covered days of every task; its size is that of the gaps, not of the runs."""

    def __init__(self) -> None:
        """Begin empty."""
        self._covered: dict[str, list[Days]] = {}
        self._reach: dict[str, date] = {}

    def take(self, run: IngestionRunStarted) -> None:
        """Take the beginning of a run that completed."""
        yesterday = new_york_date(run.occurred_at) - _DAY
        last = min(run.data_date_end or yesterday, yesterday)
        self._reach[run.task_name] = max(self._reach.get(run.task_name, last), last)
        if run.data_date_start is not None and run.data_date_start <= last:
            ranges = self._covered.setdefault(run.task_name, [])
            _add(ranges, Days(run.data_date_start, last))

    def reach(self, task_name: str) -> date | None:
        """Return the last day up to which completed runs of the task tell; None when none completed."""
        return self._reach.get(task_name)

    def first(self, task_name: str) -> date | None:
        """Return the first covered day; None when no day is."""
        ranges = self._covered.get(task_name)
        return ranges[0].first if ranges else None

    def uncovered_from(self, task_name: str, day: date) -> date:
        """Return the first day from ``day`` on that no completed run covered."""
        ranges = self._covered.get(task_name, [])
        at = bisect_left(ranges, day, key=lambda days: days.last)
        if at < len(ranges) and ranges[at].first <= day:
            return ranges[at].last + _DAY
        return day

    def gaps(self, task_name: str) -> list[Days]:
        """Return the days between the first and the last covered day that no completed run covered, in order."""
        ranges = self._covered.get(task_name, [])
        return [Days(before.last + _DAY, after.first - _DAY) for before, after in pairwise(ranges)]


def _add(ranges: list[Days], new: Days) -> None:
    """Put ``new`` among disjoint ranges in order, made one with all that it overlaps or touches."""
    begin = bisect_left(ranges, new.first - _DAY, key=lambda days: days.last)
    end = bisect_right(ranges, new.last + _DAY, key=lambda days: days.first)
    if begin < end:
        new = Days(min(new.first, ranges[begin].first), max(new.last, ranges[end - 1].last))
    ranges[begin:end] = [new]
