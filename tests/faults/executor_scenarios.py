"""What a campaign does to executors in one round; every decision gets its outcome afterwards, and all is judged."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from services.executor.crash import STEPS
from tests.eventually import eventually
from tests.faults.dealing import Fault, done
from tests.faults.executor_checks import Woken
from tests.faults.executor_round import KILLED, Round
from tests.faults.plain_log import LogReader
from tests.faults.processes import Process
from tradetrail.log.topics import Topics

_PASSAGES_MAX = 3
# A member that is silent for 6 s is expelled: this long a freeze ends before, about then, or after.
_FROZEN_S = (5.5, 8.0)
_FROZEN_SHORTLY_S = (0.2, 3.0)
# What a woken one still does wrong, it does within this.
_SETTLE_S = 1.5
# The work of a round takes about so long: a random instant is in a start or in the work.
_WORK_S = 1.2
_TROUBLE_S = (0.5, 2.0)
# A person cancels and replaces meanwhile, in a part of the rounds of these faults.
_WITH_ACTS, _WITH_ACTS_SHARE = ("kill", "freeze", "freeze-into", "freeze-shortly", "sigterm"), 0.4


def disturb(r: Round, fault: Fault) -> None:
    """Do what ``fault`` says, then let every decision come to its end."""
    r.with_acts = fault.kind in _WITH_ACTS and r.chance.random() < _WITH_ACTS_SHARE
    try:
        done((lambda: _SCENARIOS[fault.kind](r, fault.step), r.finish), r.problem)
    finally:
        r.close()


def _passage(r: Round, step: str) -> str:
    """Return the step with the number of the passage that is meant."""
    return f"{step}:{r.chance.randint(1, _PASSAGES_MAX)}"


def _struck(r: Round, fate: str, step: str, executors: int = 0) -> Process | None:
    """Begin with one that dies or freezes at a step; return it once it did, None if it never came there."""
    victim = r.begin(executors, die_at=f"{fate}{_passage(r, step)}")
    return victim if r.await_struck(victim) else None


def _kill(r: Round, step: str) -> None:
    # Its heir dies as well, sometimes, wherever it comes to.
    heirs = _passage(r, r.chance.choice(STEPS)) if r.chance.random() < 0.4 else ""
    victim = r.begin(die_at=_passage(r, step), heirs_die_at=heirs)
    if not r.await_struck(victim):
        return
    if (code := victim.wait()) != KILLED:
        r.problem(f"it did not die at {step} but ended with {code}", victim)
    r.count("kills", step)
    if heirs and len(r.executors) > 1:
        r.publish_part()
        r.await_other(victim)
        heir = r.acting()[1]
        if r.await_struck(heir):
            r.count("kills", heirs.partition(":")[0])


def _at_random(r: Round, span_s: float = _WORK_S) -> None:
    deadline = time.monotonic() + r.chance.uniform(0, span_s)
    while time.monotonic() < deadline:
        r.look()


def _kill_acting(r: Round, what: str) -> None:
    _, victim = r.acting()
    r.count("kills" if victim.kill() else "kills_too_late", what)


def _kill_at_random(r: Round, step: str) -> None:
    r.begin()
    for _ in range(r.chance.randint(1, 2)):
        r.publish_part()
        _at_random(r)
        _kill_acting(r, "at random")
        r.revive()


def _kill_all_at_random(r: Round, step: str) -> None:
    r.begin()
    r.publish_part()
    _at_random(r)
    for process in r.executors.values():
        r.count("kills" if process.kill() else "kills_too_late", "all at random")


def _freeze(r: Round, step: str) -> None:
    """Freeze until another has done everything, then wake."""
    victim = _struck(r, "freeze ", step, r.chance.randint(2, 3))
    if victim is None:
        return
    r.count("freezes", step)
    _outlive(r, victim)


def _outlive(r: Round, victim: Process) -> None:
    r.publish()
    r.await_other(victim)
    r.await_settled()
    before, log = r.posts(), r.log
    ends = LogReader(log.kafka, log.registry_url, Topics.of(log).trade()).ends()
    victim.send(signal.SIGCONT)
    time.sleep(_SETTLE_S)
    r.woken.append(Woken(victim.name, ends, before, r.posts()))


def _freeze_for(r: Round, step: str, span_s: tuple[float, float]) -> None:
    victim = _struck(r, "freeze ", step)
    if victim is None:
        return
    r.count("freezes", step)
    r.publish_part()
    time.sleep(r.chance.uniform(*span_s))
    victim.send(signal.SIGCONT)


def _freeze_into(r: Round, step: str) -> None:
    """Wake it at about the moment when another takes over."""
    _freeze_for(r, step, _FROZEN_S)


def _freeze_shortly(r: Round, step: str) -> None:
    _freeze_for(r, step, _FROZEN_SHORTLY_S)


def _freeze_at_random(r: Round, step: str) -> None:
    r.begin()
    r.publish_part()
    _at_random(r)
    _, victim = r.acting()
    victim.send(signal.SIGSTOP)
    r.count("freezes", "at random")
    time.sleep(r.chance.uniform(_FROZEN_SHORTLY_S[0], _FROZEN_S[1]))
    victim.send(signal.SIGCONT)


def _sigterm(r: Round, step: str) -> None:
    victim = _struck(r, "freeze ", step)
    if victim is None:
        return
    r.count("sigterms", step)
    r.stop(0, f" at {step}")
    r.start(0)


def _sigterm_at_random(r: Round, step: str) -> None:
    r.begin()
    r.publish_part()
    _at_random(r)
    slot, _ = r.acting()
    r.count("sigterms", "at random")
    r.stop(slot, " at random")
    r.start(slot)


def _come_and_go(r: Round, step: str) -> None:
    """Let the account go from hand to hand while there is work."""
    r.begin(2)
    for _ in range(3):
        r.publish_part()
        _at_random(r)
        slot, leaving = r.acting()
        r.stop(slot, " while others stand by")
        r.count("takeovers")
        r.start(slot)
        r.await_other(leaving)


def _trouble(r: Round, kind: str) -> None:
    """Let the broker be in trouble, and sometimes in another one as well."""
    r.begin(1)
    r.trouble(kind)
    r.publish_part()
    _at_random(r)
    if r.chance.random() < 0.3:
        r.trouble(r.chance.choice(("lost-answer", "429-any", "partial", "504-before")))
    r.publish()
    time.sleep(r.chance.uniform(*_TROUBLE_S))


def _trouble_and_kill(r: Round, kind: str) -> None:
    """Let the broker be in trouble, and who acts die in its middle: at a step, or at any instant."""
    step = r.chance.choice((*STEPS, ""))
    r.trouble(kind)
    victim = r.begin(r.chance.randint(1, 2), die_at=_passage(r, step) if step else "")
    r.publish_part()
    if not step:
        _at_random(r)
        _kill_acting(r, "in trouble")
    elif r.await_struck(victim):
        r.count("kills", step)
    r.revive()
    r.publish()
    time.sleep(r.chance.uniform(*_TROUBLE_S))


def _trouble_and_freeze(r: Round, kind: str) -> None:
    """Let the broker be in trouble, and who acts freeze after its request; another takes over meanwhile."""
    r.trouble(kind)
    victim = _struck(r, "freeze ", r.chance.choice(("after_intent", "after_post")), 2)
    if victim is not None:
        r.count("freezes", "in trouble")
        _outlive(r, victim)


def _gone(r: Round, how: str) -> None:
    assert r.proxy is not None
    if how == "refused":
        r.proxy.refuse()
    else:
        r.proxy.cut()
    r.count("troubles", f"away {how}")


def _away(r: Round, how: str) -> None:
    """Take the broker away: connections are cut, and new ones refused or cut as well."""
    proxy = r.behind_proxy()
    r.begin(1)
    for _ in range(2):
        r.publish_part()
        _at_random(r)
        _gone(r, how)
        r.publish_part()
        time.sleep(r.chance.uniform(*_TROUBLE_S))
        proxy.mend()


def _away_and_kill(r: Round, how: str) -> None:
    r.behind_proxy()
    r.begin(2)
    _gone(r, how)
    r.publish_part()
    _at_random(r)
    _kill_acting(r, "while the broker is away")
    r.revive()
    time.sleep(r.chance.uniform(*_TROUBLE_S))


def _halted(r: Round) -> None:
    r.publish(len(r.script.decisions) // 2)
    _at_random(r)
    r.halt()
    r.forbidden += [each.decision_id for each in r.publish(len(r.script.decisions) - 2)]


def _halt(r: Round, step: str) -> None:
    """Halt everything; what is decided from then on is never sent. Then resume."""
    r.begin()
    _halted(r)
    r.await_settled()
    r.resume()


def _halt_and_kill(r: Round, step: str) -> None:
    """Halt everything; who takes over is halted as well."""
    r.begin()
    _halted(r)
    _at_random(r)
    _kill_acting(r, "under a halt")
    r.revive()
    r.await_settled()
    r.resume()


def _halt_unknown(r: Round, step: str) -> None:
    """Halt while an order's fate is not known: it is not sent again."""
    r.begin()
    r.trouble("lost-request")
    _halted(r)
    r.await_settled()
    r.resume()


def _acts(r: Round, step: str) -> None:
    """Cancel and replace while orders are on their way."""
    r.begin()
    for _ in range(r.chance.randint(3, 6)):
        r.publish_part()
        r.act_on_one()
        _at_random(r, _WORK_S / 3)


def _acts_and_kill(r: Round, step: str) -> None:
    r.begin()
    for number in range(4):
        r.publish_part()
        r.act_on_one()
        _at_random(r, _WORK_S / 3)
        if number in (1, 3):
            _kill_acting(r, "while a person acts")
            r.revive()


def _acts_in_trouble(r: Round, kind: str) -> None:
    """Cancel and replace while the broker is in trouble with whatever it is asked."""
    r.begin()
    r.trouble(kind)
    for _ in range(4):
        r.publish_part()
        r.act_on_one()
        _at_random(r, _WORK_S / 3)


def _broker(r: Round, step: str, *, gracefully: bool) -> None:
    """Take Kafka away while an executor is at a step."""
    victim = _struck(r, "freeze ", step)
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
    "trouble": _trouble,
    "trouble-and-kill": _trouble_and_kill,
    "trouble-and-freeze": _trouble_and_freeze,
    "away": _away,
    "away-and-kill": _away_and_kill,
    "acts": _acts,
    "acts-and-kill": _acts_and_kill,
    "acts-in-trouble": _acts_in_trouble,
    "halt": _halt,
    "halt-and-kill": _halt_and_kill,
    "halt-unknown": _halt_unknown,
    "broker-kill": lambda r, step: _broker(r, step, gracefully=False),
    "broker-restart": lambda r, step: _broker(r, step, gracefully=True),
}
