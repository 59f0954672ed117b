"""Halts: nothing is sent after the command returned, whatever was under way; who does not answer is named."""

from __future__ import annotations

import operator
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.eventually import DEADLINE_S, eventually
from tests.integration.executor.harness import IN_SESSION, Desk, Process, decision_made
from tradetrail.acts.halts import Heard, Standing, announce
from tradetrail.acts.log import Log, open_log
from tradetrail.events.generated import (
    DecisionMade,
    DecisionStatus,
    FailureReason,
    OperatorAct,
    OperatorAnswered,
    OrderUpdated,
)
from tradetrail.ids import new_id
from tradetrail.log.reader import read_all
from tradetrail.operator_acts import asked, halt_scope

pytestmark = pytest.mark.stack

SYMBOLS = {"ACME": "101", "SPLT": "402", "PNNY": "0.55", "HOLE": "50"}
# Longer than any latency of these tests: what was on its way has arrived by then.
ARRIVED_S = 0.4
# Decisions that wait at any time: enough for every symbol to have the next one.
WAITING_MAX = 8


def log_of(desk: Desk) -> Log:
    """Return the log as a command opens it, with the broker's clock."""
    clock_url = f"{desk.alpaca.url}/control/clock"
    return open_log(desk.settings.model_copy(update={"clock_url": clock_url}))


def said(
    desk: Desk,
    kind: OperatorAct,
    symbol: str | None = None,
    *,
    cancel_open: bool = False,
    key: str | None = None,
    wait_s: float = DEADLINE_S,
) -> list[Heard]:
    """Halt or resume as the command does, and return what each executor made of it."""
    arguments = {"cancel_open": cancel_open} if kind is OperatorAct.HALT else {}
    person = ("ann", "test", key or str(new_id()))
    act = asked(kind, halt_scope(symbol, None), person, arguments)
    return announce(log_of(desk), act, wait_s)


def halt(desk: Desk, symbol: str | None = None, **more: object) -> list[Heard]:
    return said(desk, OperatorAct.HALT, symbol, **more)  # type: ignore[arg-type]


def posts(desk: Desk) -> int:
    return sum(desk.alpaca.book()["order_posts"].values())


def acknowledged(heard: list[Heard]) -> bool:
    return bool(heard) and all(each.standing is Standing.ACKNOWLEDGED for each in heard)


@contextmanager
def streaming(desk: Desk, process: Process, pause_s: float) -> Iterator[list[DecisionMade]]:
    """Keep decisions waiting in the log, never many: sizes differ, so that none is a duplicate."""
    made: list[DecisionMade] = []
    stop = threading.Event()

    def publish() -> None:
        while not stop.wait(pause_s):
            if process.health()["runnable"] >= WAITING_MAX:
                continue
            number = len(made)
            symbol = list(SYMBOLS)[number % len(SYMBOLS)]
            decision = decision_made(
                f"d{number}",
                symbol,
                quantity=str(1 + number % 7),
                price=SYMBOLS[symbol],
                at=IN_SESSION,
                strength=str(number % 10),
            )
            desk.decide(decision)
            made.append(decision)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield made
    finally:
        stop.set()
        thread.join(60)


LOOSE = {
    "duplicate_window_s": 0,
    "order_rate_max": 10_000,
    "daily_notional_usd_max": 10_000_000,
    "position_usd_max": 10_000_000,
    "daily_order_count_max": 10_000,
}


def test_nothing_is_sent_after_a_halt_returned(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION, rate_limit=0)
    process = desk.active_executor(**LOOSE)
    desk.alpaca.control(
        fault={
            "kind": "latency",
            "latency_ms": 80,
            "when": "before",
            "method": "POST",
            "path": "/v2/orders",
            "count": 100_000,
        }
    )
    random_ = random.Random(7)
    with streaming(desk, process, 0.02) as made:
        for number in range(6):
            before = posts(desk)
            eventually(partial(posts, desk), partial(operator.lt, before))
            time.sleep(random_.uniform(0, 0.15))
            heard = halt(desk, "ACME" if number == 3 else None)
            at_return = posts(desk), _acme(desk)
            assert acknowledged(heard)
            time.sleep(ARRIVED_S)
            later = posts(desk), _acme(desk)
            assert later[number == 3] == at_return[number == 3], f"halt {number}"
            assert acknowledged(said(desk, OperatorAct.RESUME))
    wanted = {decision.decision_id for decision in made}
    ends = eventually(partial(desk_ends, desk), lambda ends: ends.keys() >= wanted, every_s=1.0)
    assert all(len(each) == 1 for each in ends.values()), ends
    assert all(count == 1 for count in desk.alpaca.book()["order_posts"].values())


def _acme(desk: Desk) -> int:
    return sum(order["symbol"] == "ACME" for order in desk.orders())


def desk_ends(desk: Desk) -> dict[str, list[str]]:
    """Return the final outcomes of every decision, by one reading of the log."""
    ends: dict[str, list[str]] = {}
    for event in desk.trade_events():
        decision_id = getattr(event, "decision_id", None)
        if event.TYPE.endswith("OrderBlocked"):
            ends.setdefault(str(decision_id), []).append("failed")
        status = getattr(event, "decision_status", None)
        if status in (DecisionStatus.EXECUTED, DecisionStatus.FAILED, DecisionStatus.CANCELLED):
            ends.setdefault(str(decision_id), []).append(str(status))
    return ends


def test_every_executor_answers_and_a_frozen_one_is_named(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    active = desk.active_executor(**LOOSE)
    standbys = [desk.executor(), desk.executor()]
    for standby in standbys:
        eventually(standby.health, lambda health: not health["active"])
    heard = eventually(lambda: halt(desk), lambda heard: len(heard) == 3)
    assert acknowledged(heard)
    assert [each.answer.is_active for each in heard if each.answer].count(True) == 1
    eventually(active.health, lambda health: health["halted"].keys() == {"everything"})
    assert acknowledged(said(desk, OperatorAct.RESUME))

    os.kill(active.popen.pid, signal.SIGSTOP)
    decision = decision_made("frozen", at=IN_SESSION)
    desk.decide(decision)
    key = str(new_id())
    heard = halt(desk, key=key)
    standings = sorted(each.standing for each in heard)
    assert standings[:2] == [Standing.ACKNOWLEDGED] * 2
    assert standings[2] in (Standing.VANISHED, Standing.SILENT)
    (named,) = [each for each in heard if each.standing is not Standing.ACKNOWLEDGED]
    assert named.member.instance == "executor-0"
    os.kill(active.popen.pid, signal.SIGCONT)
    desk.eventually_over(decision)
    assert desk.statuses(decision) == ["blocked halt"]
    # All three are there again, and the same command asks them all.
    assert eventually(lambda: halt(desk, key=key), lambda h: len(h) == 3 and acknowledged(h))
    assert posts(desk) == 0
    assert [process.popen.poll() for process in standbys] == [None, None]


def test_a_halt_without_executors_is_in_force_at_the_next_start(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    assert halt(desk) == []
    desk.active_executor()
    decision = decision_made("later", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)
    assert desk.statuses(decision) == ["blocked halt"]


def test_open_orders_in_scope_are_cancelled_on_request(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(poll_every_s=0.5)
    mine = decision_made("mine", limit_price="90", at=IN_SESSION)
    other = decision_made("other", "SPLT", limit_price="390", quantity="1", at=IN_SESSION)
    desk.decide(mine, other)
    for decision in (mine, other):
        eventually(partial(desk.statuses, decision), lambda story: "accepted" in story)
    (heard,) = halt(desk, "ACME", cancel_open=True)
    assert heard.answer is not None
    assert "1 open order" in heard.answer.explanation
    desk.eventually_over(mine)
    last = desk.of(OrderUpdated, mine)[-1]
    assert (last.decision_status, last.failure_reason) == (
        DecisionStatus.CANCELLED,
        FailureReason.OPERATOR_CANCELLED,
    )
    assert {call.method for call in desk.calls(mine)} >= {"POST", "DELETE"}
    assert desk.statuses(other)[-1] == "accepted"
    answers = [
        desk.codec.decode(message.value).event
        for message in read_all(desk.settings, [desk.topics.account])
    ]
    assert len([each for each in answers if isinstance(each, OperatorAnswered)]) == 1
