"""What a run is asked for, what it works with, and how it ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from services.ingestor.known.memory import Memory
from services.ingestor.recording.counts import Counts
from services.ingestor.settings import IngestorSettings
from services.ingestor.sources.quiver import QuiverSource, Window
from services.ingestor.sources.sectors import SectorSource
from services.ingestor.sources.vendor import Vendor
from services.ingestor.tasks import TASKS, Task
from tradetrail.clock import Clock
from tradetrail.events.generated import RunFinding, RunTrigger
from tradetrail.log.codec import Codec
from tradetrail.log.configuration import Stamp
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings


@dataclass(frozen=True, slots=True)
class Request:
    """A run that is wanted: its task, who wants it, and for which days (None: the default window)."""

    task: Task
    trigger: RunTrigger
    requested_by: str
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``error`` is None when it completed."""

    run_id: str
    counts: Counts | None
    error: str | None = None
    findings: tuple[RunFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run works with; made once a process. ``sectors`` is None where no address of the file is set."""

    settings: SharedSettings
    own: IngestorSettings
    codec: Codec
    topics: Topics
    memory: Memory
    quiver: QuiverSource
    committees: Vendor
    sectors: SectorSource | None
    clock: Clock
    stamp: Stamp
    stop: threading.Event
    configuration_hash: str

    @property
    def waiting(self) -> str | None:
        """Return what a run waits for before it asks a vendor again; None when it does not. Safe from other threads."""
        sources = (self.quiver, self.committees, self.sectors)
        return next((one.waiting for one in sources if one and one.waiting), None)


def request_of(name: str, trigger: RunTrigger, requested_by: str, window: Window | None) -> Request:
    """Return the request for the task ``name``."""
    return Request(TASKS[name], trigger, requested_by, window)
