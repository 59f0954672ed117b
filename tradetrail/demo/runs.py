"""Follows the ingestion runs in the log, so that the demo knows which of a morning's tasks are done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tradetrail.events.generated import (
    IngestionRunCompleted,
    IngestionRunFailed,
    IngestionRunStarted,
)
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.follower import Follower
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings


@dataclass(slots=True)
class Run:
    """A run as the log has it so far."""

    run_id: str
    task_name: str
    started_at: datetime
    status: str = "running"


class RunFollower:
    """Reads the runs topic on, from where it last was."""

    def __init__(self, settings: SharedSettings) -> None:
        """Begin at the topic's start."""
        self._codec = Codec(settings.registry_url)
        self._follower = Follower(settings, [Topics.of(settings).runs])
        self._runs: dict[str, Run] = {}

    def close(self) -> None:
        """Close the connection."""
        self._follower.close()

    def runs_of(self, instant: datetime) -> list[Run]:
        """Return the runs that started at the simulated ``instant``, in order."""
        for message in self._follower.catch_up():
            try:
                self._take(self._codec.decode(message.value()).event)
            except BadEvent:
                continue
        return [run for run in self._runs.values() if run.started_at == instant]

    def _take(self, event: object) -> None:
        if isinstance(event, IngestionRunStarted):
            self._runs[event.run_id] = Run(event.run_id, event.task_name, event.occurred_at)
        elif isinstance(event, IngestionRunCompleted):
            self._runs[event.run_id].status = "completed"
        elif isinstance(event, IngestionRunFailed):
            self._runs[event.run_id].status = f"failed ({event.error_code})"
