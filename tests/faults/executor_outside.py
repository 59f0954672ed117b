"""What a campaign's broker and people do to executors in one round: trouble, absence, acts, halts."""

from __future__ import annotations

import time
from collections.abc import Callable

from services.executor.crash import STEPS
from tests.faults.executor_round import Round
from tests.faults.executor_strikes import at_random, kill_acting, outlive, passage, struck

_TROUBLE_S = (0.5, 2.0)
# Between two acts of a person.
_BETWEEN_S = 0.4


def _trouble(r: Round, kind: str) -> None:
    """Let the broker be in trouble, and sometimes in another one as well."""
    r.begin(1)
    r.trouble(kind)
    r.publish_part()
    at_random(r)
    if r.chance.random() < 0.3:
        r.trouble(r.chance.choice(("lost-answer", "429-any", "partial", "504-before")))
    r.publish()
    time.sleep(r.chance.uniform(*_TROUBLE_S))


def _trouble_and_kill(r: Round, kind: str) -> None:
    """Let the broker be in trouble, and who acts die in its middle: at a step, or at any instant."""
    step = r.chance.choice((*STEPS, ""))
    r.trouble(kind)
    victim = r.begin(r.chance.randint(1, 2), die_at=passage(r, step) if step else "")
    r.publish_part()
    if not step:
        at_random(r)
        kill_acting(r, "in trouble")
    elif r.await_struck(victim):
        r.count("kills", step)
    r.revive()
    r.publish()
    time.sleep(r.chance.uniform(*_TROUBLE_S))


def _trouble_and_freeze(r: Round, kind: str) -> None:
    """Let the broker be in trouble, and who acts freeze after its request; another takes over meanwhile."""
    r.trouble(kind)
    victim = struck(r, "freeze ", r.chance.choice(("after_intent", "after_post")), 2)
    if victim is not None:
        r.count("freezes", "in trouble")
        outlive(r, victim)


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
        at_random(r)
        _gone(r, how)
        r.publish_part()
        time.sleep(r.chance.uniform(*_TROUBLE_S))
        proxy.mend()


def _away_and_kill(r: Round, how: str) -> None:
    r.behind_proxy()
    r.begin(2)
    _gone(r, how)
    r.publish_part()
    at_random(r)
    kill_acting(r, "while the broker is away")
    r.revive()
    time.sleep(r.chance.uniform(*_TROUBLE_S))


def _halted(r: Round) -> None:
    r.publish(len(r.script.decisions) // 2)
    at_random(r)
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
    at_random(r)
    kill_acting(r, "under a halt")
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
        at_random(r, _BETWEEN_S)


def _acts_and_kill(r: Round, step: str) -> None:
    r.begin()
    for number in range(4):
        r.publish_part()
        r.act_on_one()
        at_random(r, _BETWEEN_S)
        if number in (1, 3):
            kill_acting(r, "while a person acts")
            r.revive()


def _acts_in_trouble(r: Round, kind: str) -> None:
    """Cancel and replace while the broker is in trouble with whatever it is asked."""
    r.begin()
    r.trouble(kind)
    for _ in range(4):
        r.publish_part()
        r.act_on_one()
        at_random(r, _BETWEEN_S)


SCENARIOS: dict[str, Callable[[Round, str], None]] = {
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
}
