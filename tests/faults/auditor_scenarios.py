"""What a campaign does to auditors in one round; all is audited afterwards, and the database is judged."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial

from services.auditor.breakpoints import STEPS
from tests.eventually import eventually
from tests.faults import auditor_outside as outside
from tests.faults.auditor_round import Round
from tests.faults.auditor_script import far_back
from tests.faults.dealing import Fault, done
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

# A batch passes each step once, this one once for each table.
_PASSAGES_MAX = {"table_merged": 60}
# A member that is silent for 6 s is expelled; its session in the database is ended after 15 s and a lock's wait.
_FROZEN_S = (5.5, 20.0)
_FROZEN_SHORTLY_S = (0.2, 4.0)
# What a woken one still does wrong, it does within this.
_SETTLE_S = 2.0
# From its start, an auditor has work within about these seconds: a random instant is in its start or in its work.
_START_S = 2.5
# A lot is about this many bytes on the way to the database: an instant within the first few batches.
_COPIED_BYTES = (2_000, 400_000)
_MONTHS = 60


def disturb(r: Round, fault: Fault) -> None:
    """Do what ``fault`` says, then let all be audited."""
    try:
        done((lambda: _SCENARIOS[fault.kind](r, fault.step), r.finish), r.problem)
    finally:
        r.close()


def _struck(r: Round, fate: str, step: str, auditors: int = 0) -> Process | None:
    """Begin with a first auditor that dies or freezes at a step; return it once it did, None if it never came there."""
    number = r.chance.randint(1, _PASSAGES_MAX.get(step, 5))
    victim = r.begin(auditors, die_at=f"{fate}{step}:{number}")
    return victim if r.await_struck(victim) else None


def _kill(r: Round, step: str) -> None:
    victim = _struck(r, "", step)
    if victim is None:
        return
    died_at(r, step, victim)
    if r.chance.random() < 0.3:
        # Its successor dies as well.
        again = r.chance.choice(STEPS)
        if r.await_struck(r.start(0, f"{again}:1")):
            r.count("kills", again)


def _in_copy(r: Round, strike: Callable[[Process], None], auditors: int = 0) -> Process:
    """Begin, and strike an auditor while bytes of its batch are on their way to the database."""
    r.begin(auditors)
    slot = r.any_slot()
    victim, wire = r.auditors[slot], r.wires[slot]
    r.await_true("it works", lambda: r.health(slot))
    wire.at_byte(r.chance.randint(*_COPIED_BYTES), lambda: strike(victim))
    r.publisher.publish()

    def is_struck() -> bool:
        if not wire.is_spent() and not r.behind():
            r.publisher.publish()
        return wire.is_spent()

    r.await_true("bytes go to the database", is_struck)
    return victim


def _kill_in_copy(r: Round, _step: str) -> None:
    victim = _in_copy(r, lambda each: each.send(signal.SIGKILL))
    victim.wait()
    r.count("kills", "in copy")


def _at_random(r: Round) -> None:
    time.sleep(r.chance.uniform(0, _START_S))


def _kill_at_random(r: Round, _step: str) -> None:
    r.begin()
    for _ in range(r.chance.randint(1, 3)):
        _at_random(r)
        slot = r.any_slot()
        kill(r, r.auditors[slot], "at random")
        r.revive()
        r.publisher.publish()


def _kill_all_at_random(r: Round, _step: str) -> None:
    r.begin()
    _at_random(r)
    kill_everybody(r)


def _freeze(r: Round, step: str) -> None:
    """Freeze until others have audited everything, then wake."""
    victim = _struck(r, "freeze ", step, r.chance.randint(2, 3))
    if victim is None:
        return
    r.count("freezes", step)
    r.publisher.publish()
    r.await_caught_up()
    victim.send(signal.SIGCONT)
    time.sleep(_SETTLE_S)


def _freeze_for(r: Round, step: str, span_s: tuple[float, float]) -> None:
    freeze_for(r, step, _struck(r, "freeze ", step), span_s)


def _freeze_at_random(r: Round, _step: str) -> None:
    r.begin()
    _at_random(r)
    freeze_at_random(r, r.auditors[r.any_slot()], (_FROZEN_SHORTLY_S[0], _FROZEN_S[1]))


def _freeze_in_copy(r: Round, _step: str) -> None:
    """Freeze in the middle of a COPY until others have audited everything, then wake."""
    victim = _in_copy(r, lambda each: each.send(signal.SIGSTOP), r.chance.randint(2, 3))
    r.count("freezes", "in copy")
    r.await_caught_up()
    victim.send(signal.SIGCONT)
    time.sleep(_SETTLE_S)


def _sigterm(r: Round, step: str) -> None:
    end_at(r, step, _struck(r, "freeze ", step))


def _join(r: Round, step: str) -> None:
    join_at(r, step, _struck(r, "freeze ", step, auditors=1))


def _leave(r: Round, step: str) -> None:
    leave_at(r, step, _struck(r, "freeze ", step, auditors=r.chance.randint(2, 3)))


def _come_and_go(r: Round, _step: str) -> None:
    r.begin(1)
    for slot in (1, 2):
        r.start(slot)
        _at_random(r)
        r.publisher.publish()
        r.count("joins", "at random")
    for slot in r.chance.sample((0, 1, 2), 2):
        _at_random(r)
        r.stop(slot, " at random")
        r.publisher.publish()
        r.count("leaves", "at random")


def _at_work(r: Round, auditors: int = 0) -> None:
    """Begin, and wait until something is audited and everybody answers."""
    r.begin(auditors)
    r.await_true("something is audited", lambda: r.rows("SELECT 1 FROM audit.events LIMIT 1"))
    r.await_true("everybody answers", lambda: all(r.health(slot) for slot in r.auditors))


def _outside(r: Round, step: str, act: Callable[[Round, str], None], auditors: int = 0) -> None:
    _at_work(r, auditors)
    act(r, step)


def _database_and_kill(r: Round, how: str) -> None:
    def kill_one() -> None:
        kill(r, r.auditors[r.any_slot()], "in an outage")
        r.revive()

    _at_work(r)
    outside.database(r, how, kill_one)


def _network_in_copy(r: Round, how: str) -> None:
    """Cut the wire, or let it fall silent, in the middle of what is sent."""
    slots: list[int] = []

    def strike(victim: Process) -> None:
        slots.extend(slot for slot, process in r.auditors.items() if process is victim)
        wire = r.wires[slots[0]]
        wire.cut() if how == "cut" else wire.mute()

    _in_copy(r, strike)
    r.count("network_troubles", f"in copy {how}")
    r.await_red(slots)


def _far_back(r: Round, _step: str) -> None:
    r.begin()
    r.publisher.publish_dated(far_back(r.chance, _MONTHS))
    r.count("months_back", times=_MONTHS)


def _broker(r: Round, step: str, *, gracefully: bool) -> None:
    """Take the broker away while a batch is at a step, until an auditor calls itself not ready."""
    victim = _struck(r, "freeze ", step)
    if victim is None:
        return
    r.may_end = True
    stack = r.lane.stack
    if gracefully:
        stack.stop_part("kafka")
    else:
        stack.kill_part("kafka")
        eventually(lambda: stack.part("kafka").pid is None)
    r.count("broker_restarts" if gracefully else "broker_kills", step)
    victim.send(signal.SIGCONT)
    try:
        r.await_true("one is not ready", lambda: any(r.health(slot) == 503 for slot in r.auditors))
        r.count("reds")
    finally:
        # The rounds after this one need it as well.
        stack.restart_part("kafka")


_SCENARIOS: dict[str, Callable[[Round, str], None]] = {
    "kill": _kill,
    "kill-in-copy": _kill_in_copy,
    "kill-at-random": _kill_at_random,
    "kill-all-at-random": _kill_all_at_random,
    "freeze": _freeze,
    "freeze-into": partial(_freeze_for, span_s=_FROZEN_S),
    "freeze-shortly": partial(_freeze_for, span_s=_FROZEN_SHORTLY_S),
    "freeze-in-copy": _freeze_in_copy,
    "freeze-at-random": _freeze_at_random,
    "sigterm": _sigterm,
    "join": _join,
    "leave": _leave,
    "come-and-go": _come_and_go,
    "database": partial(_outside, act=outside.database),
    "database-and-kill": _database_and_kill,
    "sessions": partial(_outside, act=outside.sessions),
    "network": partial(_outside, act=outside.network),
    "network-in-copy": _network_in_copy,
    "deadlock": partial(_outside, act=outside.deadlock, auditors=1),
    "lock-held": partial(_outside, act=outside.lock_held),
    "disk-full": partial(_outside, act=lambda r, _: outside.disk_full(r)),
    "raised": partial(_outside, act=partial(outside.raised, at_commit=False)),
    "raised-at-commit": partial(_outside, act=partial(outside.raised, at_commit=True)),
    "positions-back": partial(_outside, act=lambda r, _: outside.positions_back(r)),
    "far-back": _far_back,
    "broker-kill": partial(_broker, gracefully=False),
    "broker-restart": partial(_broker, gracefully=True),
}
