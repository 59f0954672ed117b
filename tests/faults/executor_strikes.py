"""Ways in which an executor is struck in a round: what several scenarios share."""

from __future__ import annotations

import signal
import time

from tests.faults.executor_checks import Woken
from tests.faults.executor_round import Round
from tests.faults.plain_log import LogReader
from tests.faults.processes import Process
from tests.faults.strikes import kill
from tradetrail.log.topics import Topics

_PASSAGES_MAX = 3
# What a woken one still does wrong, it does within this.
_SETTLE_S = 1.5
# The work of a round takes about so long: a random instant is in a start or in the work.
_WORK_S = 1.2


def passage(r: Round, step: str) -> str:
    """Return the step with the number of the passage that is meant."""
    return f"{step}:{r.chance.randint(1, _PASSAGES_MAX)}"


def struck(r: Round, fate: str, step: str, executors: int = 0) -> Process | None:
    """Begin with one that dies or freezes at a step; return it once it did, None if it never came there."""
    victim = r.begin(executors, die_at=f"{fate}{passage(r, step)}")
    return victim if r.await_struck(victim) else None


def at_random(r: Round, span_s: float = _WORK_S) -> None:
    """Let a part of that time pass."""
    deadline = time.monotonic() + r.chance.uniform(0, span_s)
    while time.monotonic() < deadline:
        r.look()


def kill_acting(r: Round, what: str) -> None:
    """Kill who acts for the account, wherever it is."""
    _, victim = r.acting()
    kill(r, victim, what)


def outlive(r: Round, victim: Process) -> None:
    """Let another do all that is left; then wake the frozen one, and note what it does."""
    r.publish()
    r.await_other(victim)
    r.await_settled()
    before, log = r.posts(), r.log
    ends = LogReader(log.kafka, log.registry_url, Topics.of(log).trade()).ends()
    victim.send(signal.SIGCONT)
    time.sleep(_SETTLE_S)
    r.woken.append(Woken(victim.name, ends, before, r.posts()))
