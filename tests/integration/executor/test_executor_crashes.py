"""Killing and freezing executors at the worst instants: no order doubled, none lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import pytest

from services.executor.crash import STEPS
from tests.contract.alpaca_client import Alpaca, stop
from tests.eventually import eventually
from tests.faults.nursery import Nursery
from tests.integration.executor.harness import (
    IN_SESSION,
    TIMEOUT_S,
    Desk,
    decision_made,
    opened,
)
from tests.integration.fresh_log import fresh_log
from tradetrail.events.generated import OrderSubmitting, OrderUpdated
from tradetrail.log.kafka import open_admin

pytestmark = pytest.mark.stack


KILLED = (
    decision_made("killed", at=IN_SESSION),
    decision_made("next", at=IN_SESSION, quantity="7", strength="9"),
    # Two more symbols: what is killed has several orders under way.
    decision_made("other-1", "SPLT", at=IN_SESSION, price="402", quantity="2", strength="4"),
    decision_made("other-2", "PNNY", at=IN_SESSION, price="0.5", quantity="8", strength="6"),
)
# A round mostly waits for the dead one's 6 s in the group.
ROUNDS_AT_ONCE = 5


def kill_at(desk: Desk, step: str) -> None:
    """Kill an executor at a step and let another one finish."""
    desk.alpaca.control(now=IN_SESSION)
    desk.decide(*KILLED)
    desk.executor(die_at=step).wait_dead()
    desk.executor(lookup_every_s=0.1, not_found_for_s=0.5)
    desk.eventually_over(*KILLED)


@pytest.fixture(scope="module")
def rounds(
    stack: object,
    brokers: Callable[..., Alpaca],
    executors: Nursery,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[Desk, Future[None]]]]:
    """Return a round for each step, with its desk; several are done at once."""
    with ExitStack() as held:
        desks = {}
        for step in STEPS:
            alpaca = brokers()
            held.callback(stop, alpaca)
            folder = tmp_path_factory.mktemp(step)
            desks[step] = held.enter_context(opened(fresh_log(stack), alpaca, folder, executors))
        pool = held.enter_context(ThreadPoolExecutor(ROUNDS_AT_ONCE))
        yield {step: (desk, pool.submit(kill_at, desk, step)) for step, desk in desks.items()}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_and_doubles_nothing(
    rounds: dict[str, tuple[Desk, Future[None]]], step: str
) -> None:
    desk, done = rounds[step]
    done.result()

    assert [o["qty"] for o in desk.orders() if o["symbol"] == "ACME"] == ["10", "7"]
    assert sorted(o["qty"] for o in desk.orders()) == ["10", "2", "7", "8"]
    for each in KILLED:
        assert len(desk.of(OrderSubmitting, each)) == 1
        fills = [u for u in desk.of(OrderUpdated, each) if u.fill_qty is not None]
        assert sum(u.fill_qty or 0 for u in fills) == each.quantity
        assert desk.statuses(each)[-1] == "filled"


def test_a_standby_takes_over_when_the_active_one_dies(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    first = desk.active_executor()
    second = desk.executor()
    eventually(second.health, lambda health: health["status"] == "ready" and not health["active"])
    first.kill()
    second.wait_active()
    decision = decision_made("taken-over", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)
    assert len(desk.orders()) == 1


def test_a_standby_takes_over_at_once_when_the_active_one_stops(desk: Desk) -> None:
    first = desk.active_executor()
    second = desk.executor()
    group = partial(members, desk)
    eventually(group, lambda found: found == {"executor-0", "executor-1"})
    assert first.stop() == 0
    # It left by itself: nobody waits for its silence.
    assert "executor-0" not in group()
    second.wait_active()


def members(desk: Desk) -> set[str]:
    """Return which executors belong to the group of the account, by instance."""
    group = f"{desk.settings.topic_prefix}executor-paper"
    admin = open_admin(desk.settings)
    described = admin.describe_consumer_groups([group])[group].result(TIMEOUT_S)
    return {member.client_id for member in described.members}


def test_an_executor_frozen_before_its_post_sends_nothing_when_it_wakes(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    frozen = desk.active_executor(die_at="freeze after_intent")
    standby = desk.executor(lookup_every_s=0.1, not_found_for_s=0.5)
    eventually(standby.health)
    decision = decision_made("frozen", at=IN_SESSION)
    desk.decide(decision)
    standby.wait_active()
    desk.eventually_over(decision)
    (order,) = desk.orders()
    os.kill(frozen.popen.pid, signal.SIGCONT)
    eventually(frozen.health, lambda health: not health["active"])
    assert desk.orders() == [order]
    assert desk.alpaca.book()["order_posts"] == {order["client_order_id"]: 1}
    assert desk.statuses(decision)[-1] == "filled"


def test_a_frozen_executor_wakes_up_as_a_standby(desk: Desk) -> None:
    desk.alpaca.control(now=IN_SESSION)
    first = desk.active_executor()
    second = desk.executor()
    eventually(second.health)
    os.kill(first.popen.pid, signal.SIGSTOP)
    second.wait_active()
    decision = decision_made("while-frozen", at=IN_SESSION)
    desk.decide(decision)
    desk.eventually_over(decision)
    os.kill(first.popen.pid, signal.SIGCONT)
    eventually(first.health, lambda health: not health["active"])
    later = decision_made("after-waking", at=IN_SESSION, quantity="4")
    desk.decide(later)
    desk.eventually_over(later)
    assert [order["qty"] for order in desk.orders()] == ["10", "4"]
    eventually(second.health, lambda health: health["active"])
