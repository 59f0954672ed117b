"""Walks the simulated calendar: each session morning is ingested and decided, at the open orders go out and fill.

The date moves only when every service is idle and no order is unanswered (design, section 8).
"""

from __future__ import annotations

import subprocess
import sys
import time as monotonic_time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import requests

from tradetrail.demo.probe import Healths, Probe
from tradetrail.demo.runs import Run, RunFollower
from tradetrail.errors import Fatal, Unreachable
from tradetrail.sessions import new_york, next_session, sessions

MORNING = time(7, 0)
AT_THE_OPEN = time(9, 31)
AFTER_THE_CLOSE = time(16, 5)
# A run that failed is done again by the demo as an operator would, at most so often before it gives up.
RUN_AGAIN_MAX = 3
# A due task that never started within this: the ingestor was killed before it began.
START_WAIT_S = 20.0
# One run of a session's disclosures takes well under a second; minutes mean that something is wrong.
RUN_TIMEOUT_S = 300.0
CONTROL_TIMEOUT_S = (3.0, 60.0)
_LOOK_AGAIN_S = 0.02


@dataclass(frozen=True, slots=True)
class Walk:
    """What to walk over: the sessions from ``start`` to ``end``, and the first one after, in whose morning the last
    day's disclosures are known."""

    start: date
    end: date

    def days(self) -> list[date]:
        """Return the sessions to walk, in order."""
        return [*sessions(self.start, self.end), next_session(self.end)]


class Walker:
    """Moves the simulators' date and waits for the services."""

    def __init__(
        self,
        probe: Probe,
        runs: RunFollower,
        control_urls: Sequence[str],
        env: Mapping[str, str],
        tasks: Sequence[str],
    ) -> None:
        """``control_urls``: each simulator's control endpoint, the one that gives the services their time last."""
        self._probe = probe
        self._runs = runs
        self._controls = list(control_urls)
        self._env = dict(env)
        self._tasks = list(tasks)
        self._session = requests.Session()

    def walk(self, walk: Walk, progress: Callable[[date, int], None]) -> None:
        """Walk every day; ``progress`` hears of the first day, then of each finished one, and how many are left."""
        days = walk.days()
        progress(days[0], len(days))
        for index, day in enumerate(days):
            self.pass_day(day)
            progress(day, len(days) - index - 1)

    def pass_day(self, day: date) -> None:
        """Let one session happen."""
        self._ingest(new_york(day, MORNING))
        healths = self._probe.wait(_deciding)
        if not _orders(healths):
            return
        self._move(new_york(day, AT_THE_OPEN))
        healths = self._probe.wait(_sending)
        if healths["executor"].get("unanswered", 0):
            self._move(new_york(day, AFTER_THE_CLOSE))
            self._probe.wait(_unanswered)

    def _move(self, instant: datetime) -> None:
        for url in self._controls:
            try:
                answer = self._session.post(
                    url, json={"now": instant.isoformat()}, timeout=CONTROL_TIMEOUT_S
                )
            except requests.RequestException as error:
                raise Unreachable(f"the simulator at {url} does not answer: {error}") from error
            if answer.status_code != requests.codes.ok:
                raise Fatal(f"the simulator at {url} refuses {instant}: {answer.text}")

    def _ingest(self, instant: datetime) -> None:
        """Let the morning's tasks run; one that failed is run again, since this morning won't come back."""
        self._move(instant)
        deadline = monotonic_time.monotonic() + RUN_TIMEOUT_S
        idle_since: float | None = None
        tries: dict[str, int] = {}
        while True:
            health = self._probe.health("ingestor")
            done = _handled(health, instant)
            runs = self._runs.runs_of(instant) if done else []
            missing = [t for t in self._tasks if not _completed(runs, t)] if done else self._tasks
            if not missing:
                return
            if monotonic_time.monotonic() > deadline:
                raise Fatal(f"{missing} did not complete on {instant}; see the ingestor's log")
            if done:
                idle_since = idle_since or monotonic_time.monotonic()
                for task in missing:
                    self._run_again(task, runs, tries, monotonic_time.monotonic() - idle_since)
            else:
                idle_since = None
                monotonic_time.sleep(_LOOK_AGAIN_S)

    def _run_again(self, task: str, runs: list[Run], tries: dict[str, int], idle_s: float) -> None:
        attempts = [run for run in runs if run.task_name == task]
        if not attempts and idle_s < START_WAIT_S:
            monotonic_time.sleep(_LOOK_AGAIN_S)
            return
        tries[task] = tries.get(task, 0) + 1
        if tries[task] > RUN_AGAIN_MAX:
            raise Fatal(f"{task} failed {RUN_AGAIN_MAX} times: {[run.status for run in attempts]}")
        # The date stands still and nothing completed: the run asks for the same days.
        self._command([sys.executable, "-m", "services.ingestor", "--once", task])

    def run_once(self, task: str) -> None:
        """Run a task that has no schedule, now. Raises Fatal with what it said when it fails."""
        result = self._command([sys.executable, "-m", "services.ingestor", "--once", task])
        if result.returncode:
            said = result.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise Fatal(f"{task} failed: {said}")

    def _command(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command, env=self._env, check=False, timeout=RUN_TIMEOUT_S, capture_output=True
        )


def _handled(health: dict[str, Any] | None, instant: datetime) -> bool:
    if health is None or health.get("running") or not health.get("clock"):
        return False
    return datetime.fromisoformat(health["clock"]) >= instant


def _completed(runs: list[Run], task: str) -> bool:
    return any(run.task_name == task and run.status == "completed" for run in runs)


def _orders(healths: Healths) -> bool:
    executor = healths["executor"]
    return bool(executor.get("waiting") or executor.get("unanswered") or executor.get("runnable"))


def _deciding(healths: Healths) -> str | None:
    if waiting := healths["decider"].get("waiting_for_context"):
        return f"the decider waits for a context: {waiting}"
    return None if healths["executor"].get("active") else "no executor is active"


def _sending(healths: Healths) -> str | None:
    executor = healths["executor"]
    if reason := _deciding(healths):
        return reason
    if executor.get("runnable") or executor.get("waiting"):
        return f"{executor.get('runnable')} decisions are still to be sent"
    if executor.get("unanswered", 0) != executor.get("open_confirmed", 0):
        # The order may have filled already; what was not looked at since the open is not known to be open.
        return f"{executor.get('unanswered')} orders are to be looked at"
    return None


def _unanswered(healths: Healths) -> str | None:
    if reason := _deciding(healths):
        return reason
    executor = healths["executor"]
    left = executor.get("unanswered", 0) + executor.get("runnable", 0)
    return f"{left} orders are unanswered" if left else None
