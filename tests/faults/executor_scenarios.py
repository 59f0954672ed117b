"""What a campaign does to executors in one round; every decision gets its outcome afterwards, and all is judged."""

from __future__ import annotations

import signal
from collections.abc import Callable

from services.executor.crash import STEPS
from tests.eventually import eventually
from tests.faults import executor_outside
from tests.faults.dealing import Fault, done
from tests.faults.executor_round import Round
from tests.faults.executor_strikes import at_random, kill_acting, outlive, passage, struck
from tests.faults.strikes import died_at, end_at, freeze_at_random, freeze_for, kill_everybody

# A member that is silent for 6 s is expelled: this long a freeze ends before, about then, or after.
_FROZEN_S = (5.5, 8.0)
_FROZEN_SHORTLY_S = (0.2, 3.0)
# A person cancels and replaces meanwhile, in a part of the rounds of these faults.
_WITH_ACTS, _WITH_ACTS_SHARE = ("kill", "freeze", "freeze-into", "freeze-shortly", "sigterm"), 0.4


def disturb(r: Round, fault: Fault) -> None:
    """Do what ``fault`` says, then let every decision come to its end."""
    r.with_acts = fault.kind in _WITH_ACTS and r.chance.random() < _WITH_ACTS_SHARE
    try:
        done((lambda: _SCENARIOS[fault.kind](r, fault.step), r.finish), r.problem)
    finally:
        r.close()


def _kill(r: Round, step: str) -> None:
    # Its heir dies as well, sometimes, wherever it comes to.
    heirs = passage(r, r.chance.choice(STEPS)) if r.chance.random() < 0.4 else ""
    victim = r.begin(die_at=passage(r, step), heirs_die_at=heirs)
    if not r.await_struck(victim):
        return
    died_at(r, step, victim)
    if heirs and len(r.executors) > 1:
        r.publish_part()
        r.await_other(victim)
        heir = r.acting()[1]
        if r.await_struck(heir):
            r.count("kills", heirs.partition(":")[0])


def _kill_at_random(r: Round, step: str) -> None:
    r.begin()
    for _ in range(r.chance.randint(1, 2)):
        r.publish_part()
        at_random(r)
        kill_acting(r, "at random")
        r.revive()


def _kill_all_at_random(r: Round, step: str) -> None:
    r.begin()
    r.publish_part()
    at_random(r)
    kill_everybody(r)


def _freeze(r: Round, step: str) -> None:
    """Freeze until another has done everything, then wake."""
    victim = struck(r, "freeze ", step, r.chance.randint(2, 3))
    if victim is None:
        return
    r.count("freezes", step)
    outlive(r, victim)


def _freeze_into(r: Round, step: str) -> None:
    """Wake it at about the moment when another takes over."""
    freeze_for(r, step, struck(r, "freeze ", step), _FROZEN_S, r.publish_part)


def _freeze_shortly(r: Round, step: str) -> None:
    freeze_for(r, step, struck(r, "freeze ", step), _FROZEN_SHORTLY_S, r.publish_part)


def _freeze_at_random(r: Round, step: str) -> None:
    r.begin()
    r.publish_part()
    at_random(r)
    _, victim = r.acting()
    freeze_at_random(r, victim, (_FROZEN_SHORTLY_S[0], _FROZEN_S[1]))


def _sigterm(r: Round, step: str) -> None:
    end_at(r, step, struck(r, "freeze ", step))


def _sigterm_at_random(r: Round, step: str) -> None:
    r.begin()
    r.publish_part()
    at_random(r)
    slot, _ = r.acting()
    r.count("sigterms", "at random")
    r.stop(slot, " at random")
    r.start(slot)


def _come_and_go(r: Round, step: str) -> None:
    """Let the account go from hand to hand while there is work."""
    r.begin(2)
    for _ in range(3):
        r.publish_part()
        at_random(r)
        slot, leaving = r.acting()
        r.stop(slot, " while others stand by")
        r.count("takeovers")
        r.start(slot)
        r.await_other(leaving)


def _broker(r: Round, step: str, *, gracefully: bool) -> None:
    """Take Kafka away while an executor is at a step."""
    victim = struck(r, "freeze ", step)
    if victim is None:
        return
    stack = r.lane.stack
    if gracefully:
        # Nobody commits while Kafka is asked to stop: see the decider's scenarios.
        for process in r.executors.values():
            process.send(signal.SIGSTOP)
        stack.stop_part("kafka")
    else:
        stack.kill_part("kafka")
        eventually(lambda: stack.part("kafka").pid is None)
        r.count("broker_kills", step)
    r.wake_all()
    stack.restart_part("kafka")
    r.count("broker_restarts", step)


_SCENARIOS: dict[str, Callable[[Round, str], None]] = {
    **executor_outside.SCENARIOS,
    "kill": _kill,
    "kill-at-random": _kill_at_random,
    "kill-all-at-random": _kill_all_at_random,
    "freeze": _freeze,
    "freeze-into": _freeze_into,
    "freeze-shortly": _freeze_shortly,
    "freeze-at-random": _freeze_at_random,
    "sigterm": _sigterm,
    "sigterm-at-random": _sigterm_at_random,
    "come-and-go": _come_and_go,
    "broker-kill": lambda r, step: _broker(r, step, gracefully=False),
    "broker-restart": lambda r, step: _broker(r, step, gracefully=True),
}
