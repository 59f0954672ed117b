"""The desk of a campaign: the log, the vendor, the ingestor's processes, and the tally of what was done to them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import requests

from tests.eventually import eventually
from tests.faults.ingestor_checks import Claim
from tests.faults.ingestor_vendor import VendorProcess
from tests.faults.plain_log import LogReader
from tests.faults.processes import PROCESS_TIMEOUT_S, Process, Tally, clean_environment
from tests.free_port import free_port
from tests.integration.ingestor_harness import Ingestor
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack
from tradetrail.tasks import DATA_SOURCES

# A second process waits longer for the lock than any first one takes, unless a fault says otherwise.
LOCK_WAIT_S = 60.0


@dataclass
class Desk:
    """What one campaign works with."""

    stack: LocalStack
    log: SharedSettings
    vendor: VendorProcess
    home: Path
    tally: Tally = field(default_factory=Tally)
    claims: list[Claim] = field(default_factory=list)
    run_s: float = 3.0
    """Seconds that an undisturbed process takes, from start to end, lately."""

    def start(self, name: str, arguments: Sequence[str], **settings: str) -> Process:
        """Start an ingestor process; ``settings`` are TRADETRAIL_* without that, such as ingestor_die_at."""
        own = {"instance": name, "ingestor_lock_wait_s": str(LOCK_WAIT_S), **settings}
        env = clean_environment()
        env |= Ingestor(self.log, self.vendor).environment()
        env |= {f"TRADETRAIL_{key.upper()}": value for key, value in own.items()}
        return Process(name, self.home / f"{name}.log", "services.ingestor", arguments, env)

    def count(self, what: str, step: str = "") -> None:
        """Count one act, and the step it was done at."""
        self.tally.count(what, step)

    def ends(self) -> dict[tuple[str, int], int]:
        """Return where the log ends now, committed or not."""
        settings = self.log
        return LogReader(settings.kafka, settings.registry_url, self.topics()).ends()

    def topics(self) -> list[str]:
        """Return the topics that an ingestor writes to."""
        topics = Topics.of(self.log)
        return [*topics.trade(), topics.runs, topics.reference, topics.ingestor_state]


@dataclass
class Lane:
    """One data source's side of a round: its task, its processes' names, and what goes wrong with it."""

    desk: Desk
    source: str
    round: int
    chance: Random
    problems: list[str] = field(default_factory=list)
    attempts_max: int = 1
    """How often the run after a fault may be tried: more than once only while the broker is disturbed as well."""
    is_complete: bool = False
    """Whether a run of the task completed after the fault."""
    _processes: list[Process] = field(default_factory=list)

    @property
    def task(self) -> str:
        """Return the task of the data source."""
        return next(name for name, source in DATA_SOURCES.items() if source == self.source)

    def start(self, task: str | None = None, *, die_at: str = "", **settings: str) -> Process:
        """Start a process that runs the lane's task, or another, once."""
        settings["ingestor_die_at"] = die_at
        return self._start(("--once", task or self.task), settings)

    def serve(self, *, die_at: str = "", **settings: str) -> tuple[Process, str]:
        """Start the scheduled service with the lane's task due at 07:00 each day; return it and its health address."""
        port = free_port()
        settings |= {
            "ingestor_die_at": die_at,
            "ingestor_schedule": f'[{{"task": "{self.task}", "at": "07:00", "days": "daily"}}]',
            "http_port": str(port),
        }
        return self._start((), settings), f"http://127.0.0.1:{port}/health"

    def _start(self, arguments: Sequence[str], settings: dict[str, str]) -> Process:
        short = self.source.rpartition("_")[2]
        name = f"r{self.round}-{short}-{len(self._processes) + 1}"
        process = self.desk.start(name, arguments, **settings)
        self._processes.append(process)
        return process

    def problem(self, text: str, process: Process | None = None) -> None:
        """Note what should not have been."""
        said = f"\n    {process.name} said: {process.said()}" if process is not None else ""
        self.problems.append(f"{text}{said}")

    def finish(self) -> None:
        """Run the task to completion, as somebody would after a fault; nothing if that was done."""
        if self.is_complete:
            return
        for attempt in range(1, self.attempts_max + 1):
            process = self.start()
            code = process.wait()
            if code == 0:
                self.is_complete = True
                self.desk.run_s = 0.8 * self.desk.run_s + 0.2 * min(
                    time.monotonic() - process.began_at, 2 * self.desk.run_s
                )
                return
            if attempt == self.attempts_max:
                self.problem(f"the run after the fault ends with exit code {code}", process)

    def close(self) -> None:
        """Kill what is left."""
        for process in self._processes:
            process.kill()


def handled(url: str, vendor: VendorProcess) -> None:
    """Wait until a service has handled every slot of the vendor's present instant."""
    now = requests.get(f"{vendor.base}/control/clock", timeout=60).json()["now"]

    def is_done() -> bool:
        health = requests.get(url, timeout=30).json()
        return health["clock"] is not None and health["clock"] >= now and not health["running"]

    eventually(is_done, within_s=PROCESS_TIMEOUT_S)
