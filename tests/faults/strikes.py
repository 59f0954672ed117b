"""Ways in which a process of a round is struck that are the same in several campaigns."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from tests.faults.members import KILLED, Members
from tests.faults.processes import Process

# How long a batch stands still in which others join, and one in which another leaves.
_JOIN_S = (0.5, 5.0)
_LEAVE_S = (0.0, 3.0)


def died_at(r: Members, step: str, victim: Process) -> None:
    """Count a kill at a step, and tell when the process ended otherwise."""
    if (code := victim.wait()) != KILLED:
        r.problem(f"it did not die at {step} but ended with {code}", victim)
    r.count("kills", step)


def kill(r: Members, victim: Process, when: str) -> None:
    """Kill a process that may have ended by itself meanwhile."""
    r.count("kills" if victim.kill() else "kills_too_late", when)


def kill_everybody(r: Members) -> None:
    """Kill all at the same time."""
    for process in r.members.values():
        kill(r, process, "all at random")


def end_at(r: Members, step: str, victim: Process | None) -> None:
    """Ask the first, frozen at a step, to stop there, and start it anew; None came never there."""
    if victim is None:
        return
    r.count("sigterms", step)
    r.stop(0, f" at {step}")
    r.start(0)


def freeze_for(
    r: Members,
    step: str,
    victim: Process | None,
    span_s: tuple[float, float],
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Keep the one that is frozen at a step so for a while of real seconds, then wake it; None came never there."""
    if victim is None:
        return
    r.count("freezes", step)
    meanwhile()
    time.sleep(r.chance.uniform(*span_s))
    victim.send(signal.SIGCONT)


def freeze_at_random(r: Members, victim: Process, span_s: tuple[float, float]) -> None:
    """Freeze one wherever it is, for a while of real seconds."""
    victim.send(signal.SIGSTOP)
    freeze_for(r, "at random", victim, span_s)


def join_at(r: Members, step: str, victim: Process | None) -> None:
    """Let others join while the first stands at a step: its partitions are taken away in its middle."""
    if victim is None:
        return
    r.count("joins", step)
    for slot in range(1, r.chance.randint(2, 3)):
        r.start(slot)
    time.sleep(r.chance.uniform(*_JOIN_S))
    victim.send(signal.SIGCONT)


def leave_at(r: Members, step: str, victim: Process | None) -> None:
    """Let the second leave while the first stands at a step."""
    if victim is None:
        return
    r.count("leaves", step)
    r.members[1].send(signal.SIGTERM)
    time.sleep(r.chance.uniform(*_LEAVE_S))
    victim.send(signal.SIGCONT)
    r.stop(1, f" while another is at {step}")
