"""An ingestor against a simulated QuiverQuant and a real log: in this process, or as one of its own to be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.ingestor.parts import Outcome, Parts, request_of
from services.ingestor.runs.run import Runner
from services.ingestor.settings import (
    CommitteesSettings,
    IngestorSettings,
    QuiverSettings,
    RateClass,
    SectorsSettings,
)
from services.ingestor.sources.committees import committees_vendor
from services.ingestor.sources.quiver import QuiverSource, Window, quiver_vendor
from services.ingestor.sources.sectors import SectorSource
from services.ingestor.startup import make_parts
from tests.contract.quiver_server import TOKEN, Client
from tradetrail.clock import SimulatedClock
from tradetrail.events import Event
from tradetrail.events.generated import RunTrigger
from tradetrail.log.codec import Codec
from tradetrail.log.reader import Received, read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

CONGRESS, INSIDER, SEATS, SECTORS, MAINTENANCE = (
    "data_fetch:congress_daily",
    "data_fetch:insider_daily",
    "data_fetch:committees",
    "data_fetch:sectors",
    "maintenance:daily",
)
# A start, a dead holder's 6 s in the group, and a run, on two busy cores.
PROCESS_TIMEOUT_S = 90.0
# The simulator counts no requests unless a test asks it to; the vendor's true allowances would make tests wait.
UNHURRIED = (RateClass(prefix="/beta/", requests=100_000, per_s=60),)
_E = TypeVar("_E")


@dataclass
class Ingestor:
    """One log, one simulated vendor, and what runs between them."""

    log: SharedSettings
    client: Client
    own: dict[str, Any] = field(default_factory=dict)
    _parts: Parts | None = None

    @property
    def parts(self) -> Parts:
        """Return the parts of runs in this process, made at first use."""
        if self._parts is None:
            own = IngestorSettings(
                **{"retry_after_s_max": 1.0, "rate_classes": UNHURRIED, **self.own}
            )
            made = make_parts(self.log, own, threading.Event())
            quiver = QuiverSettings(url=self.client.base, token=TOKEN)
            self._parts = Parts(
                settings=made.settings,
                own=own,
                codec=made.codec,
                topics=made.topics,
                memory=made.memory,
                quiver=QuiverSource(quiver_vendor(own, quiver), own),
                committees=committees_vendor(own, CommitteesSettings(url=self.client.base)),
                sectors=SectorSource(own, SectorsSettings(url=f"{self.client.base}/sectors.csv")),
                clock=SimulatedClock(f"{self.client.base}/control/clock"),
                stamp=made.stamp,
                stop=made.stop,
                configuration_hash=made.configuration_hash,
            )
        return self._parts

    def run(self, task: str = CONGRESS, window: Window | None = None) -> Outcome:
        """Run a task in this process."""
        return Runner(self.parts).run(request_of(task, RunTrigger.COMMAND, "test", window))

    def close(self) -> None:
        """Close what runs in this process left open."""
        if self._parts is not None:
            self._parts.memory.close()

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start the ingestor as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "services.ingestor", *arguments],
            env={**os.environ, **self.environment(), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def once(self, *arguments: str, **env: str) -> tuple[int, str, str]:
        """Run it as a process with ``--once``; return exit code, stdout and stderr."""
        with self.start("--once", *(arguments or (CONGRESS,)), **env) as process:
            try:
                out, err = process.communicate(timeout=PROCESS_TIMEOUT_S)
            finally:
                process.kill()
        return process.returncode, out, err

    def environment(self) -> dict[str, str]:
        """Return the settings of a process."""
        return {
            "TRADETRAIL_KAFKA": self.log.kafka,
            "TRADETRAIL_REGISTRY_URL": self.log.registry_url,
            "TRADETRAIL_TOPIC_PREFIX": self.log.topic_prefix,
            "TRADETRAIL_CLOCK_URL": f"{self.client.base}/control/clock",
            "TRADETRAIL_QUIVER_URL": self.client.base,
            "TRADETRAIL_QUIVER_TOKEN": TOKEN,
            "TRADETRAIL_COMMITTEES_URL": self.client.base,
            "TRADETRAIL_SECTORS_URL": f"{self.client.base}/sectors.csv",
            "TRADETRAIL_INGESTOR_RATE_CLASSES": json.dumps([one.model_dump() for one in UNHURRIED]),
        }

    def messages(self) -> list[tuple[Received, Event]]:
        """Return every committed event of the log with its place, topic by topic."""
        topics, codec = Topics.of(self.log), Codec(self.log.registry_url)
        wanted = [*topics.trade(), topics.runs, topics.reference, topics.ingestor_state]
        return [(m, codec.decode(m.value).event) for m in read_all(self.log, wanted)]

    def events(self, kind: type[_E]) -> list[_E]:
        """Return every committed event of one type."""
        return [event for _, event in self.messages() if isinstance(event, kind)]


@contextmanager
def ingestor(log: SharedSettings, client: Client, **own: Any) -> Iterator[Ingestor]:
    """Return an ingestor on ``log`` and the simulator of ``client``, closed at the end."""
    made = Ingestor(log, client, own)
    try:
        yield made
    finally:
        made.close()
