"""What ``maintenance:daily`` looks at: runs that don't come, silence, days nobody asked for, and the bulk endpoint.

It changes nothing: each finding says what mends it. The comparison takes no lock of the congress source, since a run
that is due must not wait for it or be skipped. It reads the log again after the bulk endpoint has answered, once no
congress run is under way, and compares with what is known then (``comparison``). A run's beginning is on record before
its first request, so without an open run nothing that was fetched is still on its way into the log.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog

from services.ingestor.known.coverage import Days
from services.ingestor.maintenance.comparison import compare, known_within
from services.ingestor.maintenance.findings import FindingCode, finding, of_difference, of_gaps
from services.ingestor.maintenance.silence import (
    newest,
    newest_by_chamber,
    of_chamber,
    of_runs,
    of_source,
)
from services.ingestor.parts import Parts
from services.ingestor.recording.calls import RunCalls
from services.ingestor.rows.records import congress_records
from services.ingestor.sources.quiver import Window
from services.ingestor.tasks import Kind, Task, task_of
from tradetrail.events.generated import RunFinding
from tradetrail.sessions import new_york_date

# How often the log is looked at while a congress run is under way; such a run takes seconds.
_LOOK_EVERY_S = 0.5
_DAY = timedelta(days=1)
COMMITTEES, CONGRESS, INSIDER = map(task_of, (Kind.COMMITTEES, Kind.CONGRESS, Kind.INSIDER))

log = structlog.get_logger(__name__)


class Maintenance:
    """The findings of one maintenance run; each is logged when it is made."""

    def __init__(self, parts: Parts, calls: RunCalls, now: datetime) -> None:
        """Look at the log as ``parts.memory`` knows it, on the day of ``now`` in New York."""
        self._parts = parts
        self._own = parts.own
        self._calls = calls
        self._today = new_york_date(now)
        self._coverage = parts.memory.runs.coverage
        self.findings: list[RunFinding] = []
        self.rows_compared = 0

    def look(self) -> None:
        """Look at everything, the vendor last: what the log alone tells is said also if the vendor fails.

        Raises RunTrouble when the bulk endpoint can't be asked, Retryable when the log can't be read.
        """
        for task in (COMMITTEES, CONGRESS, INSIDER):
            if self._is_expected(task):
                limit = self._own.unfetched_sessions_max
                self._take(of_runs(task, self._coverage, self._today, limit))
        self._look_for_silence()
        for task in (CONGRESS, INSIDER):
            self._take(of_gaps(task, self._coverage.gaps(task.name)))
        self._compare()

    def _take(self, found: list[RunFinding]) -> None:
        for one in found:
            log.warning("maintenance found", code=one.code, subject=one.subject, found=one.message)
        self.findings += found

    def _is_expected(self, task: Task) -> bool:
        """Tell whether the task ever runs here: a plan without insiders, say, has no such runs to miss."""
        is_scheduled = any(entry.task == task.name for entry in self._own.schedule)
        return is_scheduled or self._coverage.reach(task.name) is not None

    def _look_for_silence(self) -> None:
        own, memory, coverage = self._own, self._parts.memory, self._coverage
        house, senate = own.silent_house_sessions, own.silent_senate_sessions
        trades = memory.ledger(CONGRESS.data_source)
        chambers = newest_by_chamber(trades, coverage.reach(CONGRESS.name))
        for chamber, limit in (("Representatives", house), ("Senate", senate)):
            self._take(of_chamber(CONGRESS, coverage, chamber, chambers.get(chamber), limit))
        changed_on = memory.seats.changed_on
        self._take(of_source(COMMITTEES, coverage, changed_on, own.silent_committees_sessions))
        either = max(chambers.values(), default=None)
        self._take(of_source(CONGRESS, coverage, either, min(house, senate)))
        filed_on = newest(memory.ledger(INSIDER.data_source), coverage.reach(INSIDER.name))
        self._take(of_source(INSIDER, coverage, filed_on, own.silent_insider_sessions))

    def _compare(self) -> None:
        days = self._compared_days()
        if days is None:
            return
        memory, source = self._parts.memory, CONGRESS.data_source
        before = known_within(memory.ledger(source), days)
        window = Window(days.first, days.last, is_explicit=True)
        records = congress_records(self._parts.quiver.congress(self._calls, window).rows)
        self.rows_compared = len(records)
        if self._is_settled():
            difference = compare(records, before, memory.ledger(source), days)
            self._take(of_difference(CONGRESS, days, difference))
            return
        message = f"a run of {CONGRESS.name} was under way all the time; run maintenance:daily again when it has ended"
        compared = {"from": days.first, "to": days.last}
        self._take([finding(FindingCode.NOT_COMPARED, source, message, compared=compared)])

    def _compared_days(self) -> Days | None:
        """Return the last days, at most so many as are set, from the first covered day to the last; None when none."""
        first, reach = self._coverage.first(CONGRESS.name), self._coverage.reach(CONGRESS.name)
        if first is None or reach is None:
            return None
        begin = self._today - timedelta(days=self._own.compare_days)
        days = Days(max(first, begin), min(reach, self._today - _DAY))
        return days if days.first <= days.last else None

    def _is_settled(self) -> bool:
        """Read the log until no congress run is open in it; False when one is for too long."""
        deadline = time.monotonic() + self._own.lock_wait_s
        while True:
            self._parts.memory.catch_up()
            if not self._parts.memory.runs.open_runs(CONGRESS.data_source):
                return True
            if time.monotonic() > deadline:
                return False
            self._calls.wait(_LOOK_EVERY_S)
