"""One part's life, as a small state machine that the supervisor's loop advances.

waiting → starting → ready → (ended) → backoff → starting …      a service that crashed comes back
             └→ failed            └→ failed                       a server that crashed is reported, not revived
starting → done                                                   a step that ran to its end
any → stopping → stopped
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import Literal

from tradetrail.errors import TradetrailError
from tradetrail.stack.checks import Finding, run_check
from tradetrail.stack.home import Home, tail
from tradetrail.stack.parts import Health, Part, PartStatus
from tradetrail.stack.processes import birth_of, is_launched, kill_group, send, spawn

State = Literal["waiting", "starting", "ready", "backoff", "stopping", "stopped", "done", "failed"]

# While starting, look often: it decides how long a start takes. Later, rarely: it is only for the status.
_CHECK_STARTING_S = 0.1
_CHECK_READY_S = 2.0
# First and longest pause before a crashed service comes back; up for a minute, it starts at the first again.
_BACKOFF_FIRST_S = 0.5
_BACKOFF_MAX_S = 30.0
_BACKOFF_FORGET_S = 60.0
# Lines of its log that the message about a failed part shows.
TAIL_LINES = 12


class Runner:
    """Runs one part. ``failure`` is set once it failed for good."""

    def __init__(
        self, part: Part, home: Home, executor: Executor, env: Callable[[Part], Mapping[str, str]]
    ) -> None:
        """Prepare to run ``part``; ``env`` gives its environment at the moment it starts."""
        self.part = part
        self.state: State = "waiting"
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        self.failure: str | None = None
        self.birth: float | None = None
        self._home = home
        self._executor = executor
        self._env = env
        self._finding = Finding("not checked yet")
        self._check: Future[Finding] | None = None
        self._check_at = 0.0
        self._since = time.monotonic()
        self._deadline = 0.0
        self._ended = ""
        self._attempts = 0
        self._crashes = 0
        self.was_ready = False
        self._log_offset = 0

    @property
    def is_satisfied(self) -> bool:
        """Tell whether parts that depend on this one may start."""
        return self.state in ("ready", "done")

    @property
    def is_over(self) -> bool:
        """Tell whether nothing of it runs and nothing will without an order."""
        return self.state in ("stopped", "done", "failed") or (
            self.state == "ready" and self.part.is_external
        )

    def tick(self, may_start: bool) -> bool:
        """Advance: see whether the process ended, take a check's answer, start what is due.

        Return whether it failed for good just now.
        """
        now, before = time.monotonic(), self.state
        if self.process is not None and self.process.poll() is not None:
            self._on_end(self.process, now)
        if (self.state == "waiting" and may_start) or (
            self.state == "backoff" and may_start and now >= self._deadline
        ):
            self._start(now)
        elif self.state in ("starting", "ready") and self.part.kind != "step":
            self._look(now)
        if self.state == "starting" and now >= self._deadline:
            self._on_too_slow()
        elif self.state == "stopping" and now >= self._deadline:
            self.kill(signal.SIGKILL)
        return self.state == "failed" and before != "failed"

    def stop(self) -> None:
        """Ask it to end, and kill it when its time is over."""
        if self.process is None:
            self.state = self.state if self.state in ("failed", "done") else "stopped"
        elif self.state != "stopping":
            self.state = "stopping"
            self._deadline = time.monotonic() + self.part.stop_timeout_s
            send(self.process, self.part.stop_signal)

    def kill(self, signum: int) -> None:
        """Send a signal; the supervisor treats what follows as the part's own doing."""
        if self.process is not None:
            if signum == signal.SIGKILL:
                kill_group(self.process.pid)
            send(self.process, signum)

    def start(self, part: Part | None = None) -> None:
        """Start it (again), as ``part`` if given. Does nothing while it runs."""
        if self.process is None:
            self.part = part or self.part
            self.state, self.failure, self._attempts, self.was_ready = "waiting", None, 0, False

    def take(self, finding: Finding) -> None:
        """Take the answer of a check made elsewhere."""
        self._finding = finding

    def _start(self, now: float) -> None:
        self._finding = Finding("starting")
        self._check, self._check_at, self._since = None, now, now
        self.state, self._deadline = "starting", now + self.part.ready_timeout_s
        if self.part.is_external:
            return
        log = self._home.log(self.part.name)
        self._log_offset = log.stat().st_size if log.exists() else 0
        self._attempts += 1
        try:
            self.process = spawn(self.part, self._home, self._env(self.part))
        except (OSError, TradetrailError) as error:
            self._fail(f"{self.part.name} could not be started: {error}")
            return
        self.birth = birth_of(self.process.pid)

    def _look(self, now: float) -> None:
        if self._check is not None and self._check.done():
            self._finding = self._check.result()
            self._check = None
            pause_s = _CHECK_STARTING_S if self.state == "starting" else _CHECK_READY_S
            self._check_at = now + pause_s
            if self.state == "starting" and self._finding.problem is None and self._is_launched():
                self.state, self.was_ready = "ready", True
        elif self._check is None and now >= self._check_at:
            self._check = self._executor.submit(run_check, self.part.check)

    def _is_launched(self) -> bool:
        return self.process is None or is_launched(self.process.pid)

    def _on_end(self, process: subprocess.Popen[bytes], now: float) -> None:
        kill_group(process.pid)
        self.process, self.birth, self._check = None, None, None
        self._ended = describe_end(process.returncode)
        if self.state == "failed":
            return
        if self.state == "stopping":
            self.state = "stopped"
        elif self.part.kind == "step" and process.returncode == 0:
            self.state = "done"
        elif self.was_ready and self.part.restart == "always":
            self._crashes = 0 if now - self._since > _BACKOFF_FORGET_S else self._crashes
            self._retry(now)
        elif not self.was_ready and self._attempts < self.part.start_attempts_max:
            self._retry(now)
        else:
            when = "after it was ready" if self.was_ready else "before it was ready"
            self._fail(f"{self.part.name} {self._ended} {when}")

    def _retry(self, now: float) -> None:
        pause_s = min(_BACKOFF_FIRST_S * 2.0 ** min(self._crashes, 10), _BACKOFF_MAX_S)
        self._crashes += 1
        self.restarts += 1
        self.state, self._deadline = "backoff", now + pause_s

    def _on_too_slow(self) -> None:
        self.kill(signal.SIGKILL)
        text = f"{self.part.name} was not ready within {self.part.ready_timeout_s:.0f} s: {self._finding.problem}"
        self._deadline = float("inf")
        if self.was_ready and self.part.restart == "always":
            return  # Killed: its end is the next thing seen, and it comes back as after a crash.
        self._fail(text)

    def _fail(self, text: str) -> None:
        lines = self.tail()
        shown = "\n".join(f"    {line}" for line in lines)
        log = self._home.log(self.part.name)
        self.failure = f"{text}\n  last lines of {log}:\n{shown}" if lines else text
        self.state = "failed"

    def tail(self) -> list[str]:
        """Return the last lines of its log since it was last started."""
        if self.part.is_external:
            return []
        return tail(self._home.log(self.part.name), TAIL_LINES, offset_bytes=self._log_offset)

    def status(self) -> PartStatus:
        """Return what is known of it now."""
        health, detail = self._health()
        running = self.process is not None
        return PartStatus(
            name=self.part.name,
            kind=self.part.kind,
            pid=self.process.pid if self.process is not None else None,
            address=self.part.address,
            health=health,
            restarts=self.restarts,
            uptime_s=round(time.monotonic() - self._since, 1) if running else None,
            log=None if self.part.is_external else str(self._home.log(self.part.name)),
            detail=detail,
            facts=self._finding.facts,
            failed=self.state == "failed",
        )

    def _health(self) -> tuple[Health, str]:
        problem = self._finding.problem
        if self.state == "ready":
            fine: Health = "external" if self.part.is_external else "healthy"
            return ("unhealthy", problem) if problem else (fine, "")
        if self.state == "failed":
            return "unhealthy", (self.failure or "").splitlines()[0]
        if self.state == "backoff":
            left_s = max(0.0, self._deadline - time.monotonic())
            return "unhealthy", f"{self._ended}; restart {self.restarts} in {left_s:.1f} s"
        if self.state in ("waiting", "starting"):
            detail = (
                f"waits for {', '.join(self.part.depends_on)}"
                if self.state == "waiting"
                else str(problem)
            )
            return "starting", detail
        if self.state == "done":
            return "healthy", "done"
        return "stopped", "stopping" if self.state == "stopping" else self._ended


def describe_end(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
