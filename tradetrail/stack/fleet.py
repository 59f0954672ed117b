"""All parts of one stack together: who waits for whom, who stops before whom, and what each runs with."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, Literal

from tradetrail.errors import UsageError
from tradetrail.stack.assembly import (
    ALL_PARTS,
    INFRASTRUCTURE,
    Wanted,
    application_parts,
    infrastructure_parts,
    stack_env,
)
from tradetrail.stack.home import Home
from tradetrail.stack.parts import Part
from tradetrail.stack.ports import Ports
from tradetrail.stack.runner import Runner

Phase = Literal["booting", "running", "stopping"]

# Everything stops within this: services first (15 s each, in parallel), then simulators, then servers.
SHUTDOWN_MAX_S = 40.0
# Another program may take a port between its choice and its use; more often than this is no accident.
_PORT_RETRIES_MAX = 3


class Fleet:
    """The runners of a stack. ``failure`` says why a start was given up."""

    def __init__(self, home: Home, executor: Executor, wanted: Wanted) -> None:
        """Declare the parts of ``wanted``; they start as ``advance`` is called again and again."""
        self.phase: Phase = "booting"
        self.failure: str | None = None
        self._home = home
        self._executor = executor
        self._ports = Ports(home.root / "ports.json")
        self._runners: dict[str, Runner] = {}
        self._wanted: list[Wanted] = []
        self._stop_deadline = 0.0
        self._port_retries = 0
        self.add(wanted)

    def add(self, wanted: Wanted) -> None:
        """Take in more parts by name. Raises UsageError when one of them runs already."""
        parts = self._build([wanted])
        for part in parts:
            self._refuse_running(part.name)
        self._wanted.append(wanted)
        for part in parts:
            self.add_part(part)

    def add_part(self, part: Part) -> None:
        """Take in one part, in place of an ended one of the same name. Raises UsageError while that one runs."""
        self._refuse_running(part.name)
        known = self._runners.get(part.name)
        if known is None:
            self._runners[part.name] = Runner(part, self._home, self._executor, self._env_of)
        else:
            known.start(part)

    def runner(self, name: object) -> Runner:
        """Return the runner of a part. Raises UsageError for an unknown name."""
        if name not in self._runners:
            raise UsageError(f"no part {name!r} here; there are {', '.join(self._runners)}")
        return self._runners[str(name)]

    def runners(self) -> list[Runner]:
        """Return every runner, in the order in which people list the parts."""
        order = {name: place for place, name in enumerate(ALL_PARTS)}
        parts = list(self._runners.values())
        return sorted(parts, key=lambda runner: order.get(runner.part.name, len(order)))

    def advance(self) -> None:
        """Move every part one step on."""
        if self.phase == "stopping":
            self._advance_stopping()
        for runner in list(self._runners.values()):
            failed_now = runner.tick(self.phase != "stopping" and self._may_start(runner))
            if failed_now and not self._recover_port(runner) and self.phase == "booting":
                self.failure = runner.failure
                self.stop()
        if self.phase == "booting" and all(r.is_satisfied for r in self._runners.values()):
            self.phase = "running"

    def stop(self) -> None:
        """Begin to stop everything: what depends on a part before the part itself."""
        if self.phase != "stopping":
            self.phase = "stopping"
            self._stop_deadline = time.monotonic() + SHUTDOWN_MAX_S

    def kill(self) -> None:
        """Kill everything at once."""
        for runner in self._runners.values():
            runner.kill(signal.SIGKILL)

    @property
    def is_stopped(self) -> bool:
        """Tell whether a stop was asked for and nothing runs any more."""
        return self.phase == "stopping" and all(r.process is None for r in self._runners.values())

    @property
    def is_busy(self) -> bool:
        """Tell whether something starts or stops, so that it is worth looking often."""
        busy = ("waiting", "starting", "backoff", "stopping")
        return any(runner.state in busy for runner in self._runners.values())

    def env(self) -> dict[str, str]:
        """Return the settings by which any program finds this stack."""
        parts = {name: runner.part for name, runner in self._runners.items()}
        return {**stack_env(parts, self._ports), "TRADETRAIL_HOME": str(self._home.root)}

    def describe(self) -> dict[str, Any]:
        """Return phase, failure, every part and step, and the settings, as plain values."""
        rows = [{**r.status().to_json(), "birth": r.birth} for r in self.runners()]
        return {
            "phase": self.phase,
            "failure": self.failure,
            "parts": [row for row in rows if row["kind"] != "step"],
            "steps": [row for row in rows if row["kind"] == "step"],
            "env": self.env(),
        }

    def fingerprint(self) -> tuple[object, ...]:
        """Return what changes exactly when a part or the whole enters another state."""
        states = tuple((r.part.name, r.state, r.birth, r.restarts) for r in self._runners.values())
        return self.phase, self.failure, states

    def _advance_stopping(self) -> None:
        if time.monotonic() > self._stop_deadline:
            self.kill()
        running = [runner for runner in self._runners.values() if runner.process is not None]
        needed = {name for runner in running for name in runner.part.depends_on}
        for name, runner in self._runners.items():
            if name not in needed:
                runner.stop()

    def _may_start(self, runner: Runner) -> bool:
        return all(
            self._runners[name].is_satisfied
            for name in runner.part.depends_on
            if name in self._runners
        )

    def _recover_port(self, runner: Runner) -> bool:
        """Give a part whose port was taken meanwhile another one; tell whether that was the trouble."""
        if runner.was_ready or self._port_retries >= _PORT_RETRIES_MAX or self.phase == "stopping":
            return False
        if not self._ports.lost(runner.part.port_names):
            return False
        self._port_retries += 1
        for part in self._build(self._wanted):
            other = self._runners.get(part.name)
            if other is not None and (other is runner or other.state == "waiting"):
                other.start(part)
        return True

    def _build(self, wishes: Sequence[Wanted]) -> list[Part]:
        parts: list[Part] = []
        for wanted in wishes:
            for name in INFRASTRUCTURE:
                if name in wanted.names and not self._is_running(name):
                    parts += infrastructure_parts(name, self._home, self._ports)
            parts += application_parts(wanted, tuple(self._runners), self._ports)
        return parts

    def _is_running(self, name: str) -> bool:
        return name in self._runners and self._runners[name].process is not None

    def _refuse_running(self, name: str) -> None:
        if self._is_running(name):
            raise UsageError(f"{name} runs already; stop it first")

    def _env_of(self, part: Part) -> dict[str, str]:
        return {**os.environ, **self.env(), **part.env}
