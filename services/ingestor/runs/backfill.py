"""A period of years, cut into windows, each its own run; asked for again, it goes on with the windows that are missing.

The cut is a function of the period and the window's length alone, so the same command gives the same windows. Which of
them are done is read from the log: the completed runs that were asked for by command with exactly a window's days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from services.ingestor.known.runbook import CommandRuns
from services.ingestor.parts import Outcome, Parts, request_of
from services.ingestor.recording.counts import Counts
from services.ingestor.recording.lock import AlreadyRunning
from services.ingestor.runs.run import Runner
from services.ingestor.settings import IngestorSettings, checked_task
from services.ingestor.sources.quiver import Window
from services.ingestor.tasks import TASKS, Kind
from tradetrail.errors import Retryable, UsageError
from tradetrail.events.generated import RunTrigger
from tradetrail.sessions import new_york_date

# Two centuries of weeks: a mistyped year is refused instead of being worked off for days.
WINDOWS_MAX = 10_000
GO_ON = "the same command goes on from there"


@dataclass(frozen=True, slots=True)
class Plan:
    """The windows of a period in order of time, and which of them are to be run now (places from 0)."""

    windows: tuple[Window, ...]
    missing: tuple[int, ...]
    since: datetime | None = None
    """When the first of the windows that are left out completed; None when none is left out."""

    @property
    def done(self) -> int:
        """Return how many windows are left out, because they are done."""
        return len(self.windows) - len(self.missing)


@dataclass(frozen=True, slots=True)
class BackfillOutcome:
    """How the runs of a period ended; ``failed_window`` is the one that stopped it, None when all is done."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    totals: Counts
    failed_window: Window | None = None
    error: str | None = None


class Show(Protocol):
    """What is told while a backfill goes on."""

    def planned(self, plan: Plan) -> None:
        """Hear what is going to be run."""

    def began(self, number: int, window: Window) -> None:
        """Hear that the window with the number ``number`` (from 1, of all) is being run."""

    def ended(self, number: int, window: Window, outcome: Outcome, totals: Counts) -> None:
        """Hear how its run ended, and the numbers of all runs so far."""


class Silent:
    """Shows nothing."""

    def planned(self, plan: Plan) -> None:
        """Say nothing."""

    def began(self, number: int, window: Window) -> None:
        """Say nothing."""

    def ended(self, number: int, window: Window, outcome: Outcome, totals: Counts) -> None:
        """Say nothing."""


def backfill(
    parts: Parts,
    task: str,
    start: date,
    end: date,
    *,
    again: bool = False,
    requested_by: str = "a program",
    show: Show | None = None,
) -> BackfillOutcome:
    """Run a disclosure task for the days of report from ``start`` to ``end``, both included, window by window.

    Runs the windows that are missing, or all when none or all are done, or with ``again``. The first run that fails
    ends it. Raises UsageError for a period that can't be asked for, Retryable when the log is away.
    """
    show = show or Silent()
    check_period(task, start, end, new_york_date(parts.clock.now()))
    parts.memory.catch_up()
    windows = windows_of(start, end, window_days(parts.own, task))
    plan = plan_of(
        windows, lambda w: parts.memory.runs.command_runs(task, w.start, w.end), again=again
    )
    show.planned(plan)
    runner = Runner(parts)
    outcomes: list[Outcome] = []
    totals = total_of(outcomes)
    for place in plan.missing:
        window = plan.windows[place]
        if parts.stop.is_set():
            error = "the process was asked to stop before this window began"
            return BackfillOutcome(plan, tuple(outcomes), totals, window, error)
        show.began(place + 1, window)
        try:
            outcome = runner.run(request_of(task, RunTrigger.COMMAND, requested_by, window))
        except AlreadyRunning as problem:
            return BackfillOutcome(plan, tuple(outcomes), totals, window, str(problem))
        except Retryable as problem:
            raise Retryable(f"window {said(window)}: {problem}; {GO_ON}") from problem
        outcomes.append(outcome)
        totals = total_of(outcomes)
        show.ended(place + 1, window, outcome, totals)
        if outcome.error is not None:
            return BackfillOutcome(plan, tuple(outcomes), totals, window, outcome.error)
    return BackfillOutcome(plan, tuple(outcomes), totals)


def check_period(task: str, start: date, end: date, today: date) -> None:
    """Raise UsageError for a period that the task can't be asked for; ``today`` is New York's."""
    check_order(task, start, end)
    if end > today:
        raise UsageError(
            f"--to {end} is after today, {today} in New York by the ingestor's clock: what will be reported then can't "
            f"be fetched yet; write --to {today}"
        )


def check_order(task: str, start: date, end: date) -> None:
    """Raise UsageError for an unknown task, one that takes no period, or days in the wrong order."""
    if TASKS[checked_task(task)].kind not in (Kind.CONGRESS, Kind.INSIDER):
        raise UsageError(f"{task} takes no period: run it without --from and --to")
    if end < start:
        raise UsageError(f"--to {end} is before --from {start}")


def window_days(own: IngestorSettings, task: str) -> int:
    """Return the length of a disclosure task's longest window, days."""
    if TASKS[task].kind is Kind.CONGRESS:
        return own.backfill_congress_days
    return own.backfill_insider_days


def windows_of(start: date, end: date, days: int) -> tuple[Window, ...]:
    """Return windows of ``days`` days from ``start`` on, the last one as short as ``end`` makes it.

    Rows whose day of report can't be read go to the first window only. It holds the oldest days, so its run reads the
    bulk endpoint as far back as one run over the whole period would. Raises UsageError for too many windows.
    """
    count = -(-((end - start).days + 1) // days)
    if count > WINDOWS_MAX:
        raise UsageError(
            f"{start} to {end} makes {count} windows of {days} days, more than {WINDOWS_MAX}; name a later --from"
        )
    firsts = (start + timedelta(days=days * n) for n in range(count))
    return tuple(
        Window(
            first,
            first + timedelta(days=min(days - 1, (end - first).days)),
            is_explicit=True,
            takes_undated=first == start,
        )
        for first in firsts
    )


def plan_of(
    windows: Sequence[Window], runs_of: Callable[[Window], CommandRuns], *, again: bool
) -> Plan:
    """Return which windows are to be run: those that completed runs cover less often than others, or else all."""
    runs = [runs_of(window) for window in windows]
    fewest = min(run.count for run in runs)
    done = [run.last_at for run in runs if run.count > fewest and run.last_at is not None]
    if again or not done:
        return Plan(tuple(windows), tuple(range(len(windows))))
    missing = tuple(place for place, run in enumerate(runs) if run.count == fewest)
    return Plan(tuple(windows), missing, since=min(done))


def total_of(outcomes: Sequence[Outcome]) -> Counts:
    """Return the sum of what completed runs counted."""
    counts = [outcome.counts for outcome in outcomes if outcome.counts is not None]
    flags: Counter[str] = Counter()
    for one in counts:
        flags.update(one.flags)
    return Counts(
        fetched=sum(one.fetched for one in counts),
        created=sum(one.created for one in counts),
        updated=sum(one.updated for one in counts),
        flagged=sum(one.flagged for one in counts),
        flags=dict(sorted(flags.items())),
    )


def said(window: Window) -> str:
    """Return a window's days as people write them."""
    return f"{window.start} to {window.end}"
