"""Processes that a campaign starts, freezes and kills, and the tally of what was done to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.eventually import eventually
from tests.faults.nursery import Forked, Nursery

# A start, a dead holder's 6 s in the group, a fenced transaction and a run, on two very busy cores.
PROCESS_TIMEOUT_S = 180.0
_STOP_TIMEOUT_S = 20.0


@dataclass
class Tally:
    """What was done, and what was found; counted from several threads."""

    done: Counter[str] = field(default_factory=Counter)
    by_step: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, step: str = "", times: int = 1) -> None:
        """Count an act, or several, and the step it was done at."""
        with self._lock:
            self.done[what] += times
            if step:
                self.by_step[f"{what} {step}"] += times


class Process:
    """One process of a service, ``python -m module``; what it says goes to a file."""

    def __init__(
        self,
        name: str,
        log: Path,
        module: str,
        arguments: Sequence[str],
        env: Mapping[str, str],
        born_in: Nursery | None = None,
    ) -> None:
        """Start it; in a nursery of its module, which takes no arguments, in milliseconds."""
        self.name = name
        self.log = log
        self.began_at = time.monotonic()
        self._popen: subprocess.Popen[bytes] | Forked
        if born_in is not None:
            log.touch()
            self._popen = born_in.fork(log, env)
            return
        with log.open("w") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], env=env, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._popen.pid

    def wait(self, timeout_s: float = PROCESS_TIMEOUT_S) -> int:
        """Return its exit code; kill it when it does not end, which is no exit code of its own."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout_s:.0f} s") from None

    def kill(self) -> bool:
        """Send SIGKILL; return whether it was still running."""
        was_running = self._popen.poll() is None
        self._popen.kill()
        self._popen.wait(PROCESS_TIMEOUT_S)
        return was_running and self._popen.returncode == -signal.SIGKILL

    def send(self, number: int) -> None:
        """Send a signal, if it is there."""
        if self._popen.poll() is None:
            self._popen.send_signal(number)

    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self._popen.poll() is not None

    def is_frozen(self) -> bool:
        """Tell whether it is stopped (SIGSTOP)."""
        if self._popen.poll() is not None:
            return False
        try:
            return bool(psutil.Process(self._popen.pid).status() == psutil.STATUS_STOPPED)
        except psutil.NoSuchProcess:
            return False

    def is_struck(self) -> bool:
        """Tell whether it has ended or is stopped."""
        return self.is_over() or self.is_frozen()

    def await_frozen(self) -> bool:
        """Wait until it stopped itself; return False when it ended instead."""
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while self._popen.poll() is None and time.monotonic() < deadline:
            if self.is_frozen():
                return True
            time.sleep(0.02)
        return False

    def said(self) -> str:
        """Return the last lines of its output."""
        return self.log.read_text()[-1500:]

    def stacks(self) -> str:
        """End it with SIGABRT; return the last of its output, and where its threads were (PYTHONFAULTHANDLER=1)."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGABRT)
        self.wait(_STOP_TIMEOUT_S)
        return self.log.read_text()[-6000:]


def clean_environment() -> dict[str, str]:
    """Return this process's environment without any setting of ours."""
    return {k: v for k, v in os.environ.items() if not k.startswith("TRADETRAIL_")}


@contextmanager
def serving(module: str, log: Path, *arguments: str) -> Iterator[str]:
    """Run a simulator on a free port; yield its address. Its output goes to ``log``."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--port", "0", *arguments], stdout=output, stderr=output
        )
    try:
        said = eventually(lambda: log.read_text(), lambda text: "http://" in text and "\n" in text)
        yield said[said.index("http://") :].split()[0].rstrip(",")
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        finally:
            process.kill()
