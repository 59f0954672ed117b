"""A local stack as Python code sees it: start it, use it, stop it; or find the one that runs.

    with LocalStack(parts=("kafka", "registry", "postgres")) as stack:
        subprocess.run([...], env={**os.environ, **stack.env()})

The supervisor that does the work is a process of its own, tied to this one: however this process ends, the stack ends
too, unless ``detach`` was called.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tradetrail.errors import Fatal, Unreachable, UsageError
from tradetrail.process import EXIT_USAGE
from tradetrail.stack import artifacts, control
from tradetrail.stack.assembly import ADDRESS_VARIABLE, INFRASTRUCTURE, Wanted, check_names
from tradetrail.stack.fleet import SHUTDOWN_MAX_S
from tradetrail.stack.home import Home, tail
from tradetrail.stack.parts import Part, PartStatus
from tradetrail.stack.provisions import StderrReporter, prepare
from tradetrail.stack.runner import describe_end
from tradetrail.stack.supervisor import EXIT_LOCKED

# A first start of everything on two busy cores takes half a minute; real data for the simulators, minutes.
READY_TIMEOUT_S = 300.0
# A supervisor that doesn't take its commands this long after its start never will.
_SUPERVISOR_START_MAX_S = 30.0
# A part's own time to stop, and some.
_STOP_PART_MAX_S = 30.0
_POLL_S = 0.03
# From the moment a supervisor takes no more commands to its end; everything it ran has stopped by then.
_ENDING_MAX_S = 5.0

Show = Callable[[list[PartStatus]], None]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three servers are; empty for one that isn't part of the stack. The DSN holds the password."""

    kafka: str
    registry_url: str
    postgres_dsn: str


class LocalStack:
    """A stack in the data folder ``home``; ``parts`` are names out of ``assembly.ALL_PARTS``.

    ``simulator_arguments`` go to both simulators' command lines; ``env`` to the application parts.
    """

    def __init__(
        self,
        home: Path | str | None = None,
        parts: Sequence[str] = INFRASTRUCTURE,
        *,
        simulator_arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        reporter: artifacts.Reporter | None = None,
    ) -> None:
        """Say what to start; nothing happens before ``start`` or ``with``."""
        self.home = Home.find(home)
        self._wanted = Wanted(check_names(parts), tuple(simulator_arguments), dict(env or {}))
        self._reporter = reporter or StderrReporter()
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._env: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start the stack and wait until every part is ready."""
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the stack."""
        self.stop()

    def start(self) -> None:
        """Fetch what is missing and start the supervisor.

        Raises UsageError when the folder is in use or a package is missing, Unreachable when a download fails.
        """
        self.home.create()
        prepare(self._wanted.names, self._reporter)
        log = self.home.open_log("supervisor")
        try:
            self._supervisor = subprocess.Popen(
                (
                    sys.executable,
                    "-m",
                    "tradetrail.stack.supervisor",
                    "--home",
                    str(self.home.root),
                ),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        self._say(json.dumps(self._wanted.to_json()))

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S, show: Show | None = None) -> None:
        """Wait until every part is ready; ``show`` gets the parts' states meanwhile.

        Raises Fatal with the failed part's last log lines, UsageError when the folder is in use.
        """
        deadline = time.monotonic() + timeout_s
        started = time.monotonic()
        while True:
            self._raise_if_ended()
            try:
                answer = control.ask(self.home, {"op": "status"})
            except Unreachable:
                answer = {"phase": "booting", "parts": [], "pid": None}
                if time.monotonic() - started > _SUPERVISOR_START_MAX_S:
                    self._raise_once_ended()
                    raise
            if show is not None:
                show(_statuses(answer["parts"]))
            # Another stack's supervisor may answer while ours is still to find the folder locked.
            ours = self._supervisor is not None and answer["pid"] == self._supervisor.pid
            if ours and answer["phase"] == "running":
                self._env = dict(answer["env"])
                return
            if time.monotonic() > deadline:
                late = [part["name"] for part in answer["parts"] if part["health"] == "starting"]
                self.stop()
                raise Fatal(
                    f"not ready within {timeout_s:.0f} s: {', '.join(late)}; see {self.home.logs}"
                )
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop every part and the supervisor, within ``SHUTDOWN_MAX_S``. May be called again."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        if supervisor.stdin is not None:
            try:
                supervisor.stdin.close()
            except BrokenPipeError:
                pass
        try:
            supervisor.wait(SHUTDOWN_MAX_S + 5.0)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()

    def detach(self) -> None:
        """Let the stack run on after this process."""
        self._say("detach")
        if self._supervisor is not None and self._supervisor.stdin is not None:
            self._supervisor.stdin.close()
            # It is no longer ours to wait for; a Popen that is dropped while its child runs warns about that.
            self._supervisor.returncode = 0
        self._supervisor = None

    def env(self) -> dict[str, str]:
        """Return the ``TRADETRAIL_*`` settings by which any program finds the stack's servers and vendors."""
        self._env = dict(control.ask(self.home, {"op": "status"})["env"])
        return dict(self._env)

    @property
    def addresses(self) -> Addresses:
        """Return where the three servers are."""
        env = self._env or self.env()
        return Addresses(*(env.get(ADDRESS_VARIABLE[name], "") for name in INFRASTRUCTURE))

    @property
    def supervisor_pid(self) -> int:
        """Return the supervisor's process id."""
        return int(control.ask(self.home, {"op": "status"})["pid"])

    def status(self) -> list[PartStatus]:
        """Return every part's state, health asked for now."""
        return _statuses(control.ask(self.home, {"op": "status", "fresh": True})["parts"])

    def part(self, name: str) -> PartStatus:
        """Return one part's state as last seen. Raises UsageError for an unknown name."""
        answer = control.ask(self.home, {"op": "status"})
        for status in _statuses([*answer["parts"], *answer["steps"]]):
            if status.name == name:
                return status
        raise UsageError(f"no part {name!r} in {self.home.root}")

    # Parts that come and go while the stack runs.

    def start_apps(
        self,
        names: Sequence[str],
        *,
        simulator_arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout_s: float = READY_TIMEOUT_S,
    ) -> None:
        """Start simulators and services by name (their steps first) and wait until they are ready."""
        wanted = Wanted(check_names(names), tuple(simulator_arguments), dict(env or {}))
        control.ask(self.home, {"op": "add", "wanted": wanted.to_json()})
        for name in wanted.names:
            self.wait_part(name, timeout_s)

    def start_part(self, part: Part, *, timeout_s: float = READY_TIMEOUT_S) -> PartStatus:
        """Start a part of the caller's own making (a step: run it to its end) and wait until it is ready."""
        control.ask(self.home, {"op": "add_part", "part": part.to_json()})
        return self.wait_part(part.name, timeout_s)

    def stop_part(self, name: str) -> None:
        """Stop one part gracefully and wait until it ended; it stays stopped."""
        control.ask(self.home, {"op": "stop", "name": name})
        self._wait_for(name, lambda status: status.pid is None, _STOP_PART_MAX_S, "stop")

    def kill_part(self, name: str, signum: int = signal.SIGKILL) -> None:
        """Send a signal to one part's process; a service that dies of it comes back by itself."""
        control.ask(self.home, {"op": "kill", "name": name, "signal": int(signum)})

    def restart_part(self, name: str, *, timeout_s: float = READY_TIMEOUT_S) -> PartStatus:
        """Stop one part, start it again, and wait until it is ready."""
        self.stop_part(name)
        control.ask(self.home, {"op": "start", "name": name})
        return self.wait_part(name, timeout_s)

    def wait_part(self, name: str, timeout_s: float = READY_TIMEOUT_S) -> PartStatus:
        """Wait until one part is healthy. Raises Fatal with its last log lines when it failed instead."""
        return self._wait_for(name, lambda status: status.is_well, timeout_s, "get ready")

    def _wait_for(
        self, name: str, done: Callable[[PartStatus], bool], timeout_s: float, what: str
    ) -> PartStatus:
        deadline = time.monotonic() + timeout_s
        while True:
            status = self.part(name)
            if done(status):
                return status
            if status.failed or time.monotonic() > deadline:
                reason = status.detail or f"it did not {what} within {timeout_s:.0f} s"
                lines = "".join(f"\n    {line}" for line in tail(self.home.log(name), 12))
                raise Fatal(f"{name}: {reason}\n  last lines of {self.home.log(name)}:{lines}")
            time.sleep(_POLL_S)

    def _say(self, line: str) -> None:
        if self._supervisor is None or self._supervisor.stdin is None:
            return
        try:
            self._supervisor.stdin.write(f"{line}\n".encode())
            self._supervisor.stdin.flush()
        except BrokenPipeError:
            self._raise_if_ended()

    def _raise_once_ended(self) -> None:
        """Raise why a supervisor that answers no more gave up, if it does end: it closes its door before it goes."""
        deadline = time.monotonic() + _ENDING_MAX_S
        while time.monotonic() < deadline:
            self._raise_if_ended()
            time.sleep(_POLL_S)

    def _raise_if_ended(self) -> None:
        if self._supervisor is None:
            raise UsageError("the stack was not started")
        code = self._supervisor.poll()
        if code is None:
            return
        self.stop()
        said = "\n".join(tail(self.home.log("supervisor"), 1 if code == EXIT_LOCKED else 12))
        if code == EXIT_LOCKED:
            raise UsageError(said)
        failure = self.home.state().get("failure")
        if failure and describe_end(EXIT_USAGE) in failure:
            # A part was asked for something that can't be done: wrong settings, a broken data folder.
            raise UsageError(failure)
        raise Fatal(failure or f"the supervisor ended with exit code {code}:\n{said}")


def _statuses(rows: Sequence[Mapping[str, Any]]) -> list[PartStatus]:
    return [PartStatus.from_json(row) for row in rows]
