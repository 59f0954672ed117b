"""The schedule: at each slot of the day, in New York time by the injected clock, one run of its task.

Steps of the loop, in order: read the clock, find the due slots, run each once, say up to which instant all is done. A
slot whose run failed or was cut off is not run again by itself. Slots of past days are skipped, and said.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import datetime
from datetime import time as time_of_day
from typing import Any

import structlog

from services.ingestor.parts import Parts, request_of
from services.ingestor.recording.lock import AlreadyRunning
from services.ingestor.runs.run import Runner
from services.ingestor.schedule import (
    Reason,
    Skip,
    Slot,
    due,
    off_days,
    skipped,
    slots_of,
    upcoming,
)
from services.ingestor.settings import ScheduleEntry
from services.ingestor.tasks import TASKS, Kind
from tradetrail.errors import Retryable
from tradetrail.events.generated import RunTrigger
from tradetrail.sessions import new_york, new_york_date

# How often the clock is read: a simulated day passes in a second, a real one doesn't.
_TICK_SIMULATED_S = 0.1
_TICK_S = 1.0
# After the log or the clock was away: long enough not to spin, short enough not to be missed.
_PAUSE_AFTER_FAILURE_S = 1.0
# How many skipped slots /health tells of, the newest: a long weekend of all tasks, and what came before it.
_SKIPS_TOLD_MAX = 20
# How each is logged: what a calendar says is routine, what another run or an outage took away is not.
_LEVELS = {
    Reason.NO_SESSION: "info",
    Reason.WEEKEND: "info",
    Reason.ALREADY_RUN: "info",
    Reason.DAY_OVER: "warning",
    Reason.ALREADY_RUNNING: "error",
}

log = structlog.get_logger(__name__)


class Schedule:
    """The long-running service."""

    def __init__(self, parts: Parts) -> None:
        """Prepare; nothing runs before ``run``."""
        self._parts = parts
        self._runner = Runner(parts)
        self.entries = _possible(parts)
        self._fired: set[Slot] = set()
        self._handled: datetime | None = None
        self._is_running = True
        self._last_run: dict[str, Any] | None = None
        self._findings: int | None = None
        self._next: dict[str, str] = {}
        self._trouble: str | None = None
        # Replaced, never changed: /health reads it from another thread.
        self._skips: tuple[dict[str, Any], ...] = ()

    def run(self, stop: threading.Event) -> None:
        """Loop until asked to stop. Raises Fatal when a run's lock was lost; the next start is a normal start."""
        tick_s = _TICK_SIMULATED_S if self._parts.settings.clock_url else _TICK_S
        has_begun = False
        while not stop.is_set():
            try:
                if not has_begun:
                    self._begin()
                    has_begun = True
                self._step(stop)
                self._trouble = None
                stop.wait(tick_s)
            except Retryable as error:
                self._trouble = str(error)
                # A run may have begun before the log went away: the log tells, and is read again first.
                has_begun = False
                log.warning("can't go on yet", error=str(error))
                stop.wait(_PAUSE_AFTER_FAILURE_S)
        self._is_running = False

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Return whether slots are being served, and what is known. Safe to call from other threads."""
        is_ready = self._handled is not None and self._trouble is None
        return is_ready, {
            "status": "ready" if is_ready else "not_ready",
            "positions": {},
            "running": self._is_running,
            "clock": self._handled and self._handled.isoformat(),
            "next_slots": self._next,
            "last_run": self._last_run,
            "skipped": self._skips,
            "waiting": self._parts.waiting,
            "findings": self._findings,
            "trouble": self._trouble,
        }

    def _begin(self) -> None:
        """Read the log, close what a crash left open, and take today's slots that have run as done."""
        memory = self._parts.memory
        memory.catch_up()
        for data_source in sorted({run.data_source for run in memory.runs.open_runs()}):
            try:
                self._runner.close_abandoned(data_source)
            except AlreadyRunning:
                log.info("a run is under way elsewhere", data_source=data_source)
        now = self._parts.clock.now()
        if self._handled is None:
            self._say_missed(now)
        for slot in slots_of(self.entries, new_york_date(now)):
            if (
                slot.at <= now
                and slot not in self._fired
                and memory.runs.has_begun_since(
                    slot.task, slot.at, but_abandoned=self._parts.own.rerun_abandoned
                )
            ):
                self._skip(Skip(slot, Reason.ALREADY_RUN))
                self._fired.add(slot)

    def _say_missed(self, now: datetime) -> None:
        """Say which slots of earlier days passed since the last scheduled runs, and which of today are none."""
        for entry in self.entries:
            since = self._parts.memory.runs.last_scheduled_at(entry.task)
            if since is not None:
                self._say(Skip(slot, Reason.DAY_OVER) for slot in skipped((entry,), since, now, ()))
        midnight = new_york(new_york_date(now), time_of_day.min)
        self._say(off_days(self.entries, midnight, now))

    def _say(self, skips: Iterable[Skip]) -> None:
        for skip in skips:
            self._skip(skip)

    def _skip(self, skip: Skip, error: str | None = None) -> None:
        """Say in the log and in /health that a slot does not fire, and why."""
        told = {
            "task": skip.slot.task,
            "slot": skip.slot.at.isoformat(),
            "reason": skip.reason.value,
            **({"error": error} if error else {}),
        }
        getattr(log, _LEVELS[skip.reason])("slot skipped", **told)
        self._skips = (*self._skips, told)[-_SKIPS_TOLD_MAX:]

    def _step(self, stop: threading.Event) -> None:
        now = self._parts.clock.now()
        if now == self._handled:
            return
        slots = due(self.entries, now, self._fired)
        self._is_running = bool(slots)
        if self._handled is not None and self._handled < now:
            over = skipped(self.entries, self._handled, now, self._fired)
            self._say(Skip(slot, Reason.DAY_OVER) for slot in over)
            self._say(off_days(self.entries, self._handled, now))
        for slot in slots:
            if stop.is_set():
                return
            self._fire(slot)
        today = new_york_date(now)
        self._fired = {slot for slot in self._fired if slot.day >= today}
        self._next = {task: at.isoformat() for task, at in upcoming(self.entries, now).items()}
        # In this order: whoever sees the instant must also see that nothing is running.
        self._is_running = False
        self._handled = now

    def _fire(self, slot: Slot) -> None:
        started = time.monotonic()
        request = request_of(slot.task, RunTrigger.SCHEDULE, slot.name, None)
        try:
            outcome = self._runner.run(request)
            status, error = ("failed", outcome.error) if outcome.error else ("completed", None)
            run_id: str | None = outcome.run_id
            if TASKS[slot.task].kind is Kind.MAINTENANCE and outcome.error is None:
                self._findings = len(outcome.findings)
        except AlreadyRunning as problem:
            status, error, run_id = "skipped", str(problem), None
            self._skip(Skip(slot, Reason.ALREADY_RUNNING), error)
        self._fired.add(slot)
        self._last_run = {
            "task": slot.task,
            "slot": slot.at.isoformat(),
            "status": status,
            "run_id": run_id,
            "error": error,
            "took_ms": int((time.monotonic() - started) * 1000),
        }


def _possible(parts: Parts) -> tuple[ScheduleEntry, ...]:
    """Return the schedule without what nobody said the address of; it is said once."""
    entries = tuple(
        entry
        for entry in parts.own.schedule
        if TASKS[entry.task].kind is not Kind.SECTORS or parts.sectors is not None
    )
    if len(entries) < len(parts.own.schedule):
        log.info("no sectors are fetched: TRADETRAIL_SECTORS_URL is not set")
    return entries
