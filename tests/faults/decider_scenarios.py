"""What a campaign does to deciders in one round; all is answered afterwards, and the log is judged."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from services.decider.breakpoints import STEPS
from tests.eventually import eventually
from tests.faults.dealing import Fault, done
from tests.faults.decider_checks import Woken
from tests.faults.decider_deck import VENDOR
from tests.faults.decider_round import Round
from tests.faults.processes import Process
from tests.faults.strikes import (
    died_at,
    end_at,
    freeze_at_random,
    freeze_for,
    join_at,
    kill,
    kill_everybody,
    leave_at,
)

# A trigger passes the first two, a batch the others: more than once, if a symbol has several triggers in it.
_PASSAGES_MAX = {"view_taken": 12, "signalled": 12, "context_read": 3}
# A member that is silent for 6 s is expelled: this long a freeze ends before, about then, or after.
_FROZEN_S = (5.5, 9.0)
_FROZEN_SHORTLY_S = (0.2, 4.0)
# What a woken one still does wrong, it does within this.
_SETTLE_S = 2.0
_TROUBLE_S = (1.0, 4.0)
# From its start, a decider is ready within about these seconds: a random instant is in its start or in its work.
_START_S = 2.5
# A commit on a local broker takes some milliseconds: within these the broker is killed in the middle of one.
_COMMIT_S = 0.02
# Requests in a minute: the first batch uses them up.
_RATE_LIMIT = 5


def disturb(r: Round, fault: Fault) -> None:
    """Do what ``fault`` says, then let all be answered."""
    try:
        done((lambda: _SCENARIOS[fault.kind](r, fault.step), r.finish), r.problem)
    finally:
        r.close()


def _passage(r: Round, step: str) -> str:
    """Return the step with the number of the passage that is meant."""
    number = r.chance.randint(1, _PASSAGES_MAX.get(step, 2))
    return f"{step}:{number if step != 'taken' else 1}"


def _struck(r: Round, fate: str, step: str, deciders: int = 0, keep: int = 0) -> Process | None:
    """Begin with a first decider that dies or freezes at a step; return it once it did, None if it never came there."""
    r.begin(deciders, die_at=f"{fate}{_passage(r, step)}", keep=keep)
    victim = r.deciders[0]
    return victim if r.await_struck(victim) else None


def _kill(r: Round, step: str) -> None:
    victim = _struck(r, "", step)
    if victim is None:
        return
    died_at(r, step, victim)
    if r.chance.random() < 0.3:
        # Its successor dies as well.
        r.count("rebalances")
        again = r.chance.choice(STEPS)
        if r.await_struck(r.start(0, _passage(r, again))):
            r.count("kills", again)


def _at_random(r: Round) -> None:
    time.sleep(r.chance.uniform(0, _START_S))


def _kill_at_random(r: Round, step: str) -> None:
    r.begin()
    for _ in range(r.chance.randint(1, 2)):
        _at_random(r)
        replica = r.chance.choice(sorted(r.deciders))
        kill(r, r.deciders[replica], "at random")
        r.revive()


def _kill_all_at_random(r: Round, step: str) -> None:
    r.begin()
    _at_random(r)
    kill_everybody(r)


def _freeze(r: Round, step: str) -> None:
    """Freeze until others have answered everything, then wake."""
    victim = _struck(r, "freeze ", step, r.chance.randint(2, 3), keep=2)
    if victim is None:
        return
    r.count("freezes", step)
    r.publisher.await_done()
    r.await_caught_up()
    r.woken.append(Woken(victim.name, r.group.ends()))
    victim.send(signal.SIGCONT)
    time.sleep(_SETTLE_S)


def _freeze_into(r: Round, step: str) -> None:
    """Wake it at about the moment when others take over."""
    freeze_for(r, step, _struck(r, "freeze ", step), _FROZEN_S)


def _freeze_shortly(r: Round, step: str) -> None:
    freeze_for(r, step, _struck(r, "freeze ", step), _FROZEN_SHORTLY_S)


def _freeze_at_random(r: Round, step: str) -> None:
    r.begin()
    _at_random(r)
    victim = r.deciders[r.chance.choice(sorted(r.deciders))]
    freeze_at_random(r, victim, (_FROZEN_SHORTLY_S[0], _FROZEN_S[1]))


def _sigterm(r: Round, step: str) -> None:
    end_at(r, step, _struck(r, "freeze ", step))


def _sigterm_at_random(r: Round, step: str) -> None:
    r.begin()
    _at_random(r)
    replica = r.chance.choice(sorted(r.deciders))
    r.count("sigterms", "at random")
    r.stop(replica, " at random")
    r.start(replica)


def _join(r: Round, step: str) -> None:
    r.may_end = False
    join_at(r, step, _struck(r, "freeze ", step, deciders=1))


def _leave(r: Round, step: str) -> None:
    r.may_end = False
    leave_at(r, step, _struck(r, "freeze ", step, deciders=r.chance.randint(2, 3)))


def _come_and_go(r: Round, step: str) -> None:
    r.may_end = False
    r.begin(1)
    for replica in (1, 2):
        r.start(replica)
        _at_random(r)
        r.count("joins", "at random")
    for replica in r.chance.sample((0, 1, 2), 2):
        _at_random(r)
        r.stop(replica, " at random")
        r.count("leaves", "at random")


def _broker(r: Round, step: str, *, gracefully: bool, delay_s: float = 0.0) -> None:
    """Take the broker away while a batch is at a step."""
    victim = _struck(r, "freeze ", step)
    if victim is None:
        return
    # What publishes is no part of this: it waits until the broker is back.
    r.publisher.halt()
    stack = r.lane.stack
    if gracefully:
        # Kafka 4.3.1, alone in its cluster and asked to stop, declares a transaction complete whose markers it has not
        # written: that one hangs for good. So nobody commits until it has stopped; the victim's is open meanwhile.
        for process in r.deciders.values():
            process.send(signal.SIGSTOP)
        stack.stop_part("kafka")
        r.wake_all()
    else:
        if delay_s:
            victim.send(signal.SIGCONT)
            time.sleep(delay_s)
        stack.kill_part("kafka")
        r.wake_all()
        eventually(lambda: stack.part("kafka").pid is None)
        r.count("broker_kills", step)
    stack.restart_part("kafka")
    r.count("broker_restarts", step)


def _broker_kill(r: Round, step: str) -> None:
    _broker(r, step, gracefully=False)


def _broker_restart(r: Round, step: str) -> None:
    _broker(r, step, gracefully=True)


def _broker_kill_in_commit(r: Round, step: str) -> None:
    _broker(r, "offsets_sent", gracefully=False, delay_s=r.chance.uniform(0.0001, _COMMIT_S))


def _vendor(r: Round, kind: str) -> None:
    """Let the vendor be in trouble for a while, shorter than a context is waited for."""
    r.may_end = False
    _trouble(r, kind)
    time.sleep(r.chance.uniform(*_TROUBLE_S))
    r.lane.calm()


def _trouble(r: Round, kind: str) -> None:
    """Begin, and arm the vendor's trouble before the first answer."""
    if kind == "limit":
        r.lane.control(rate_limit=_RATE_LIMIT)
    else:
        # Not each request: a context is read in parts, and any part of it may be the one that fails.
        part = {"probability": r.chance.choice((0.5, 1.0)), "seed": r.chance.randint(1, 999)}
        r.lane.control(fault={**VENDOR[kind], **part, "until_cleared": True, "path": "/v2/*"})
    r.count("vendor_troubles", kind)
    r.begin()


def _vendor_and_kill(r: Round, kind: str) -> None:
    _trouble(r, kind)
    _at_random(r)
    kill(r, r.deciders[0], "in the vendor's trouble")
    time.sleep(r.chance.uniform(*_TROUBLE_S) / 2)
    r.lane.calm()


def _registry(r: Round, when: str) -> None:
    """Let the registry be away while deciders start, or when they first need it."""
    r.may_end = when == "at-start"
    if when == "at-start":
        r.lane.registry.cut()
        r.begin()
    else:
        r.begin(first=0.0)
        _at_random(r)
        r.lane.registry.cut()
    r.count("registry_cuts", when)
    deadline = time.monotonic() + r.chance.uniform(*_TROUBLE_S)
    while time.monotonic() < deadline:
        time.sleep(0.2)
        r.revive()
    r.lane.registry.mend()


_SCENARIOS: dict[str, Callable[[Round, str], None]] = {
    "kill": _kill,
    "kill-at-random": _kill_at_random,
    "kill-all-at-random": _kill_all_at_random,
    "freeze": _freeze,
    "freeze-into": _freeze_into,
    "freeze-shortly": _freeze_shortly,
    "freeze-at-random": _freeze_at_random,
    "sigterm": _sigterm,
    "sigterm-at-random": _sigterm_at_random,
    "join": _join,
    "leave": _leave,
    "come-and-go": _come_and_go,
    "broker-kill": _broker_kill,
    "broker-restart": _broker_restart,
    "broker-kill-in-commit": _broker_kill_in_commit,
    "vendor": _vendor,
    "vendor-and-kill": _vendor_and_kill,
    "registry": _registry,
}
