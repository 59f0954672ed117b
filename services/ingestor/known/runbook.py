"""What the log says about runs: which are open, which completed, what was seen. Folded from trade.runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from services.ingestor.known.coverage import Coverage
from services.ingestor.trouble import ErrorCode
from tradetrail.events import Event
from tradetrail.events.generated import (
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
    RunTrigger,
)
from tradetrail.sessions import new_york_date

RUN_TYPES = frozenset(
    {IngestionRunStarted.TYPE, IngestionRunCompleted.TYPE, IngestionRunFailed.TYPE}
)


@dataclass(frozen=True, slots=True)
class CommandRuns:
    """How many runs of a task for exactly some days, asked for by command, completed, and when the newest did (UTC)."""

    count: int = 0
    last_at: datetime | None = None


_NO_RUNS = CommandRuns()


class RunBook:
    """The life of every run in the log."""

    def __init__(self) -> None:
        """Begin empty."""
        self._open: dict[str, IngestionRunStarted] = {}
        self._counts: Counter[str] = Counter()
        self._current_since: dict[str, date] = {}
        self._last_current: dict[str, IngestionRunStarted] = {}
        self._last_scheduled_at: dict[str, datetime] = {}
        self._abandoned: set[str] = set()
        self._by_command: dict[tuple[str, date | None, date | None], CommandRuns] = {}
        self.last: dict[str, str | None] = {}
        self.coverage = Coverage()

    def take(self, event: Event) -> None:
        """Take one event of the runs topic; others than the life cycle's are ignored."""
        if isinstance(event, IngestionRunStarted):
            self._open[event.run_id] = event
            self._counts[event.task_name] += 1
            if _is_current(event):
                self._last_current[event.task_name] = event
            if event.trigger is RunTrigger.SCHEDULE:
                self._last_scheduled_at[event.task_name] = event.occurred_at
            self._tell(event, "running")
        elif isinstance(event, IngestionRunCompleted):
            started = self._open.pop(event.run_id, None)
            if started is not None:
                self.coverage.take(started)
                self._count_command(started, event)
                if _is_current(started) and started.data_date_start is not None:
                    self._current_since.setdefault(event.task_name, started.data_date_start)
            self._tell(event, "completed")
        elif isinstance(event, IngestionRunFailed):
            self._open.pop(event.run_id, None)
            if event.error_code == ErrorCode.ABANDONED:
                self._abandoned.add(event.run_id)
            self._tell(event, "failed")

    def open_runs(self, data_source: str | None = None) -> list[IngestionRunStarted]:
        """Return the runs without an end, oldest first; of one data source, or all."""
        return [run for run in self._open.values() if data_source in (None, run.data_source)]

    def count(self, task_name: str) -> int:
        """Return how many runs of a task have begun."""
        return self._counts[task_name]

    def uncovered_from(self, task_name: str) -> date | None:
        """Return the first day that is still to be fetched; None before the first completed run up to its own day.

        Days before that run are a backfill's: a gap among them does not make the daily run reach back over years.
        """
        since = self._current_since.get(task_name)
        return None if since is None else self.coverage.uncovered_from(task_name, since)

    def last_scheduled_at(self, task_name: str) -> datetime | None:
        """Return when the task's newest run by the schedule began (UTC)."""
        return self._last_scheduled_at.get(task_name)

    def has_begun_since(self, task_name: str, instant: datetime, *, but_abandoned: bool) -> bool:
        """Tell whether a run of the task up to its own day began at or after ``instant``.

        A backfill of older days is none; nor is one that was cut off if ``but_abandoned``.
        """
        run = self._last_current.get(task_name)
        if run is None or run.occurred_at < instant:
            return False
        return not (but_abandoned and run.run_id in self._abandoned)

    def command_runs(self, task_name: str, start: date, end: date) -> CommandRuns:
        """Return the completed runs of the task that a person or a program asked for with exactly these days."""
        return self._by_command.get((task_name, start, end), _NO_RUNS)

    def _count_command(self, started: IngestionRunStarted, event: IngestionRunCompleted) -> None:
        if started.trigger is RunTrigger.COMMAND:
            key = (started.task_name, started.data_date_start, started.data_date_end)
            before = self._by_command.get(key, _NO_RUNS)
            self._by_command[key] = CommandRuns(before.count + 1, event.occurred_at)

    def _tell(
        self,
        event: IngestionRunStarted | IngestionRunCompleted | IngestionRunFailed,
        status: str,
    ) -> None:
        self.last = {
            "run_id": event.run_id,
            "task_name": event.task_name,
            "status": status,
            "at": event.occurred_at.isoformat(),
            "error": event.error_code if isinstance(event, IngestionRunFailed) else None,
        }


def _is_current(run: IngestionRunStarted) -> bool:
    """Tell whether a run reaches up to the day on which it began."""
    return run.data_date_end is None or run.data_date_end >= new_york_date(run.occurred_at)
