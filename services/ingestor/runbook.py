"""What the log says about runs: which are open, which completed, what was seen. Folded from trade.runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from services.ingestor.coverage import Coverage
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
        self._completed_end: dict[str, date] = {}
        self._last_started: dict[str, IngestionRunStarted] = {}
        self._abandoned: set[str] = set()
        self._by_command: dict[tuple[str, date | None, date | None], CommandRuns] = {}
        self.last: dict[str, str | None] = {}
        self.coverage = Coverage()

    def take(self, event: Event) -> None:
        """Take one event of the runs topic; others than the life cycle's are ignored."""
        if isinstance(event, IngestionRunStarted):
            self._open[event.run_id] = event
            self._counts[event.task_name] += 1
            self._last_started[event.task_name] = event
            self._tell(event, "running")
        elif isinstance(event, IngestionRunCompleted):
            started = self._open.pop(event.run_id, None)
            if started is not None:
                self.coverage.take(started)
                self._count_command(started, event)
            self._cover(started, event)
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

    def completed_end(self, task_name: str) -> date | None:
        """Return the last day that completed runs of the task cover, backfills of older days aside."""
        return self._completed_end.get(task_name)

    def last_started(self, task_name: str) -> IngestionRunStarted | None:
        """Return the task's newest run."""
        return self._last_started.get(task_name)

    def has_begun_since(self, task_name: str, instant: datetime, *, but_abandoned: bool) -> bool:
        """Tell whether a run of the task began at or after ``instant``; without abandoned ones if ``but_abandoned``."""
        run = self._last_started.get(task_name)
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

    def _cover(self, started: IngestionRunStarted | None, event: IngestionRunCompleted) -> None:
        # A backfill of old days says nothing of the days since: only runs up to their own day move the window on.
        end = event.data_date_end
        if started is not None and end is not None and end >= new_york_date(started.occurred_at):
            covered = self._completed_end.get(event.task_name, end)
            self._completed_end[event.task_name] = max(covered, new_york_date(started.occurred_at))

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
