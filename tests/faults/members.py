"""The processes of one round of a campaign, alike and each in a slot of its own, and what is noted of them."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Protocol

from tests.faults.nursery import Nursery
from tests.faults.processes import Process, Tally

KILLED = -signal.SIGKILL
# A supervisor starts what ends by itself again; more often than this in one round is a defect.
_REVIVALS_MAX = 8


class Place(Protocol):
    """Where a round's processes are born, where they write, and where acts are counted."""

    @property
    def nursery(self) -> Nursery:
        """Return where they are born."""

    @property
    def home(self) -> Path:
        """Return the folder of their logs."""

    @property
    def tally(self) -> Tally:
        """Return what counts."""


class Members(ABC):
    """What the rounds of all campaigns do alike; the fields are those of a round."""

    lane: Place
    chance: Random
    problems: list[str]
    _all: list[Process]
    _revivals: int

    @property
    @abstractmethod
    def members(self) -> dict[int, Process]:
        """Return who is in which slot."""

    @abstractmethod
    def start(self, slot: int, die_at: str = "") -> Process:
        """Start a process in a slot."""

    @abstractmethod
    def ended(self, process: Process, code: int) -> None:
        """Note that a process ended unasked."""

    def own_ends(self, process: Process) -> tuple[int, ...]:
        """Return the exit codes, besides 0, of one that was just ending by itself when it was asked to stop."""
        return ()

    def born(self, slot: int, name: str, module: str, env: Mapping[str, str]) -> Process:
        """Start a process of that module, and put it into a slot."""
        process = Process(name, self.lane.home / f"{name}.log", module, (), env, self.lane.nursery)
        self.members[slot] = process
        self._all.append(process)
        return process

    def revive(self) -> None:
        """Start again what has ended, as a supervisor does."""
        for slot, process in list(self.members.items()):
            if not process.is_over():
                continue
            self.ended(process, process.wait())
            self._revivals += 1
            if self._revivals > _REVIVALS_MAX:
                raise RuntimeError(f"{process.name} ends again and again: {process.said()}")
            self.start(slot)

    def stop(self, slot: int, when: str = "") -> None:
        """Ask one to stop, awake again if it was frozen; it does so by itself."""
        process = self.members.pop(slot)
        # One that has not said a word yet has no ear for it either, and ends as any process does.
        is_deaf = not process.said()
        process.send(signal.SIGTERM)
        process.send(signal.SIGCONT)
        code = process.wait()
        if code not in {0, *((-signal.SIGTERM,) if is_deaf else ()), *self.own_ends(process)}:
            self.problem(
                f"asked to stop{when}, {process.name} ended with exit code {code}", process
            )

    def stop_all(self) -> None:
        """Ask everybody to stop."""
        for slot in list(self.members):
            self.stop(slot)

    def wake_all(self) -> None:
        """Wake whoever is frozen."""
        for process in self.members.values():
            process.send(signal.SIGCONT)

    def kill_all(self) -> None:
        """Kill what is left, also of those that have no slot any more."""
        for process in self._all:
            process.kill()

    def count(self, what: str, step: str = "", times: int = 1) -> None:
        """Count an act, or several, and the step it was done at."""
        self.lane.tally.count(what, step, times)

    def problem(self, text: str, process: Process | None = None) -> None:
        """Note what should not have been."""
        said = f"\n    {process.name} said: {process.said()}" if process is not None else ""
        self.problems.append(f"{text}{said}")

    def said(self) -> str:
        """Return the last words of everybody."""
        return "".join(f"\n    {p.name} said: {p.said()}" for p in self.members.values())
