"""The follow-up and reconciling alone, on a real simulated broker: real lanes, real book, a log that is a list.

What the log does (transactions, fencing, restarts) is tested with executor processes; no process is started here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import requests
from pydantic import SecretStr

from services.executor.broker.lanes import Lanes
from services.executor.broker.looking import post
from services.executor.broker.pace import Pace
from services.executor.broker.trading_api import Broker
from services.executor.crash import CrashPoints
from services.executor.feed import ControlFeed
from services.executor.following.follower import Follower
from services.executor.following.stream import TradeUpdates
from services.executor.reconciling.reconciler import Reconciler
from services.executor.recording.desk import Desk
from services.executor.recording.journal import Journal
from services.executor.recording.orders import OrderEvents, order_request
from services.executor.recording.outbox import Outbox
from services.executor.settings import ExecutorSettings
from services.executor.state.book import Book, Execution
from services.executor.state.rehearsal import rehearse
from tests.contract.alpaca_client import Alpaca
from tests.contract.alpaca_server import KEYS
from tests.eventually import DEADLINE_S
from tests.integration.executor.harness import IN_SESSION, TIMEOUT_S, decision_made
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.clock import SimulatedClock
from tradetrail.events import Event
from tradetrail.events.generated import (
    BrokerOrderDiscovered,
    Cause,
    OrderUpdated,
    TimeInForce,
)
from tradetrail.log.configuration import Stamp
from tradetrail.log.producer import Outgoing
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

E = TypeVar("E", bound=Event)
_TURN_S = 0.01


class ListedLog(Journal):
    """A log that is a list: what is committed lands at once, and is folded."""

    def __init__(self, book: Book) -> None:
        """Fold into ``book``."""
        self.book = book
        self._send_within_s = 60.0
        self.outputs: list[Outgoing] = []
        self.landed: list[tuple[Event, Cause]] = []

    def commit(self, outputs: Sequence[Outgoing]) -> None:
        """Land ``outputs``. Raises Fatal for what contradicts the book."""
        rehearse(self.book, [each.event for each in outputs if each.event is not None])
        for each in outputs:
            self.outputs.append(each)
            if each.event is not None:
                self.land(each.event, each.topic)

    def land(self, event: Event, topic: str = "trade.default") -> None:
        """Fold one event at the next place of its topic."""
        at = Cause(topic=topic, partition=0, offset=len(self.landed), event_id=event.event_id)
        self.landed.append((event, at))
        self.book.fold(event, at)


@dataclass
class Rig:
    """One follow-up on one broker."""

    alpaca: Alpaca
    broker: Broker
    desk: Desk
    follower: Follower
    reconciler: Reconciler
    updates: TradeUpdates | None
    log: ListedLog
    has_heard_of_connecting: bool = False
    """Whether the stream's word that it began to listen was taken in: the snapshot it asks for belongs to that turn."""

    def order(self, name: str, symbol: str = "ACME", **fields: Any) -> Execution:
        """Send an order as the executor does; return its execution once its outcome is in the log."""
        desk = self.desk
        lasting = fields.pop("time_in_force", TimeInForce.DAY)
        made = decision_made(name, symbol, at=IN_SESSION, **fields)
        made = replace(made, time_in_force=lasting)
        self.log.land(made)
        decision = desk.book.decisions[made.decision_id]
        request = order_request(decision, decision.next_attempt, queues=False)
        intent = desk.events.intent(decision, request, (), desk.now())
        (ticket,) = self.log.commit_intents(desk.on_symbol(symbol, intent), [intent.execution_id])
        execution = desk.book.executions[intent.execution_id]
        posted = post(
            self.broker, lambda broker: broker.submit(ticket, request), execution, desk.heard
        )
        desk.enter_outcome(execution, posted)
        desk.commit()
        return execution

    def turn(self) -> None:
        """Take one turn of the loop."""
        desk = self.desk
        desk.lanes.finish()
        desk.commit()
        now = desk.now()
        hints = self.updates.take() if self.updates else []
        self.has_heard_of_connecting |= any(hint.order_id is None for hint in hints)
        self.follower.step(now, hints)
        self.reconciler.step(now)
        desk.commit()

    def until(self, is_so: Callable[[], object], within_s: float = DEADLINE_S) -> None:
        """Take turns until something is so. Raises AssertionError with the log when it isn't in time."""
        deadline = time.monotonic() + within_s
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within_s:g} s; the log: {self.log.landed}")
            self.turn()
            time.sleep(_TURN_S)

    def turns(self, for_s: float) -> None:
        """Take turns for some seconds."""
        deadline = time.monotonic() + for_s
        self.until(lambda: time.monotonic() > deadline, for_s + 10)

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in order."""
        return [event for event, _ in self.log.landed if isinstance(event, kind)]

    def updates_of(self, execution: Execution) -> list[OrderUpdated]:
        """Return what the log says of an execution, in order."""
        return [u for u in self.of(OrderUpdated) if u.execution_id == execution.execution_id]

    def requests(self) -> dict[str, int]:
        """Return how often each path was asked for, by method and path."""
        told = requests.get(f"{self.alpaca.url}/control?parts=requests", timeout=TIMEOUT_S)
        counted: dict[str, int] = told.json()["requests"]
        return counted


@contextmanager
def follow_rig(alpaca: Alpaca, log: ListedLog | None = None, **settings: Any) -> Iterator[Rig]:
    """Yield a follow-up on ``alpaca``; keywords are settings. With a ``log`` it takes over what that has."""
    executor = ExecutorSettings.model_validate({"parallel_requests": 4, **settings})
    account = AlpacaSettings.model_validate(
        {
            "url": alpaca.url,
            "stream_url": alpaca.stream_url,
            "key_id": SecretStr(KEYS.key_id),
            "secret_key": SecretStr(KEYS.secret_key),
        }
    )

    def open_broker() -> Broker:
        return Broker(account, executor, paper=True)

    log = log or ListedLog(Book())
    desk = Desk(
        settings=executor,
        topics=Topics.of(SharedSettings()),
        clock=SimulatedClock(f"{alpaca.url}/control/clock"),
        book=log.book,
        lanes=Lanes(open_broker, executor.parallel_requests),
        journal=log,
        outbox=Outbox(log),
        events=OrderEvents(Stamp("executor", "test"), "paper", "0"),
        control=cast(ControlFeed, None),
        crash=CrashPoints(""),
        pace=Pace(executor.rate_limit_reserve),
    )
    updates = TradeUpdates(account) if executor.stream else None
    follower = Follower(desk, updates)
    reconciler = Reconciler(desk, follower)
    for event, _ in log.landed:
        if isinstance(event, BrokerOrderDiscovered):
            reconciler.discoveries.fold(event)
    rig = Rig(alpaca, open_broker(), desk, follower, reconciler, updates, log)
    try:
        if updates is not None:
            updates.start()
        yield rig
    finally:
        if updates is not None:
            updates.close()
        desk.lanes.close()
        rig.broker.close()
