"""Processes of a service that begin in milliseconds: forked from one that has imported everything already.

``python -m tests.faults.nursery MODULE`` reads JSON lines (number, environment, file for what is said, arguments) and
forks a process that runs MODULE as ``python -m`` would; it tells of each birth and death. What is forked is a process
like any other: killed, frozen and ended by signals. When its input ends, all of them die.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tradetrail import sessions

# It imports everything first: seconds, and a minute on a very busy machine.
_BIRTH_TIMEOUT_S = 180.0


class Forked:
    """One forked process, with what the campaigns need of ``subprocess.Popen``."""

    def __init__(self) -> None:
        """Wait to be born."""
        self.pid = 0
        self.returncode: int | None = None
        self.is_born = threading.Event()
        self.is_dead = threading.Event()

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code once it ended. Raises subprocess.TimeoutExpired when it does not."""
        if not self.is_dead.wait(timeout) or self.returncode is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it is there."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM, if it is there."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL, if it is there."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """Where processes of one service are born; used from several threads."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        """Talk to a nursery that was started."""
        self._popen = popen
        self._lock = threading.Lock()
        self._born: list[Forked] = []
        self._by_pid: dict[int, Forked] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def fork(self, log: Path, env: Mapping[str, str], arguments: Sequence[str] = ()) -> Forked:
        """Return a process that was just born, with these arguments; what it says goes to ``log``."""
        child = Forked()
        assert self._popen.stdin is not None
        with self._lock:
            self._born.append(child)
            order = {
                "number": len(self._born) - 1,
                "env": dict(env),
                "log": str(log),
                "arguments": list(arguments),
            }
            self._popen.stdin.write(json.dumps(order) + "\n")
            self._popen.stdin.flush()
        if not child.is_born.wait(_BIRTH_TIMEOUT_S):
            raise TimeoutError("the nursery does not answer")
        return child

    def _listen(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            what, one, other = line.split()
            if what == "born":
                child = self._born[int(one)]
                child.pid = int(other)
                self._by_pid[child.pid] = child
                child.is_born.set()
            else:
                child = self._by_pid[int(one)]
                child.returncode = int(other)
                child.is_dead.set()


@contextmanager
def nursery(module: str) -> Iterator[Nursery]:
    """Start a nursery of ``python -m module``; all that is born in it ends with it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as popen:
        assert popen.stdin is not None
        try:
            yield Nursery(popen)
        finally:
            popen.stdin.close()


def _serve(module: str) -> None:
    for part in ("service", "composition", "app"):
        with suppress(ModuleNotFoundError):
            importlib.import_module(f"{module}.{part}")
    # Read once, before forking: it takes a second.
    sessions.first_session()
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    alive, rest = set[int](), b""
    while True:
        ready, _, _ = select.select([0, heard], [], [])
        if heard in ready:
            os.read(heard, 4096)
            _reap(alive)
        if 0 in ready:
            content = os.read(0, 1 << 16)
            if not content:
                break
            *lines, rest = (rest + content).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    _live(module, order)
                alive.add(pid)
                _say(f"born {order['number']} {pid}")
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _reap(alive: set[int]) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            alive.discard(pid)
            _say(f"over {pid} {os.waitstatus_to_exitcode(status)}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _live(module: str, order: Mapping[str, Any]) -> None:
    """Become a process of its own, and never return."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sink = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((nothing, 0), (sink, 1), (sink, 2)):
        os.dup2(number, target)
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = [module, *order["arguments"]]
    faulthandler.enable()
    code: object = 1
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve(sys.argv[1])
