"""The active executor of an account: one activation, from taking over to losing or leaving it.

Taking over, in order: fence older executors, fold the trade partitions to their ends, read the control topic, say so.
Then the loop, in order: hold the account, take new events, settle unknown orders, follow open ones, compare with the
broker's book when that is due, send one, save.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from functools import partial

import structlog

from services.executor import metrics
from services.executor.broker.lanes import Lanes
from services.executor.broker.pace import Pace
from services.executor.broker.trading_api import Broker
from services.executor.election import Election
from services.executor.feed import ControlFeed, Feed
from services.executor.following.follower import Follower
from services.executor.following.stream import TradeUpdates
from services.executor.look_back import LookBack, demand_whole
from services.executor.operators.replies import Answers
from services.executor.operators.steps import Operators
from services.executor.parts import Parts, Standing
from services.executor.reconciling.reconciler import Reconciler
from services.executor.recording.desk import Desk
from services.executor.recording.journal import Journal
from services.executor.recording.orders import OrderEvents
from services.executor.recording.outbox import Outbox
from services.executor.sending.sender import Sender
from services.executor.sending.unknown import Settler
from services.executor.state.book import Book
from services.executor.state.rehearsal import rehearse
from services.executor.state.retries import Retries
from tradetrail.errors import Fatal, Poison, Retryable
from tradetrail.events import Event
from tradetrail.events.generated import (
    BrokerOrderDiscovered,
    Cause,
    ExecutorActivated,
    OperatorAnswered,
    OrderBlocked,
    OrderSubmitting,
    OrderUpdated,
)
from tradetrail.ids import derive_id
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.log.reader import Place

# How long an idle loop waits for a new event; bounds how late hints, polls and look-ups are noticed.
IDLE_WAIT_S = 0.02
# With requests under way: as long for the first of them to end; bounds how late a new event is seen meanwhile.
BUSY_WAIT_S = 0.002
# Asked to stop, it waits this long for the outcomes of orders that were sent; what stays open is looked up by the next.
DRAIN_S = 5.0
# Offsets that moved without an output are committed this often, so that lag is visible.
OFFSETS_EVERY_S = 0.5
_PAUSE_S = 0.2
_FOLDED = (OrderSubmitting, OrderUpdated, OrderBlocked, OperatorAnswered)

log = structlog.get_logger(__name__)


class ActiveExecutor:
    """One activation. All work on one thread; the stream's thread only enqueues hints."""

    def __init__(self, parts: Parts, election: Election) -> None:
        """Prepare; nothing is fenced or read before ``run``."""
        self._parts = parts
        self._election = election
        settings = parts.settings
        self._book = Book(retries=Retries(settings.retries_max, settings.retry_after_s))
        self._look_back = LookBack(settings)
        self._own_events: set[str] = set()
        self._saved: dict[Place, int] = {}
        self._saved_at = 0.0
        self.standing: Standing | None = None

    def run(self, stop: threading.Event) -> None:
        """Act for the account until asked to stop. Raises Lost or Retryable when another activation is needed."""
        parts = self._parts
        producer = TransactionalProducer(
            parts.shared,
            parts.codec,
            f"{parts.shared.topic_prefix}executor-{parts.alpaca.account}",
        )
        producer.start()
        self._feed = self._open_feed()
        control = ControlFeed(parts.shared, parts.codec, parts.topics.control)
        lanes = Lanes(self._open_broker, parts.settings.parallel_requests)
        updates = TradeUpdates(parts.alpaca) if parts.settings.stream else None
        try:
            self._desk = self._open_desk(producer, control, lanes)
            self._follower = Follower(self._desk, updates)
            self._reconciler = Reconciler(self._desk, self._follower)
            self._take_over()
            if updates is not None:
                updates.start()
            self._loop(stop, updates)
            self._drain()
        finally:
            lanes.close()
            self._feed.close()
            control.close()
            if updates is not None:
                updates.close()

    def _open_feed(self) -> Feed:
        """Read from the lowest unfinished decision on, and from as far back as anything looks."""
        parts, topics = self._parts, self._parts.topics.trade()
        now = parts.clock.now()
        starts = self._look_back.begin(parts.shared, self._election.consumer, topics, now)
        self._book.begin_at(starts, self._look_back.border(now))
        return Feed(parts.shared, parts.codec, topics, starts)

    def _open_broker(self) -> Broker:
        parts = self._parts
        return Broker(parts.alpaca, parts.settings, paper=parts.paper)

    def _open_desk(
        self, producer: TransactionalProducer, control: ControlFeed, lanes: Lanes
    ) -> Desk:
        parts = self._parts
        journal = Journal(
            producer,
            self._election,
            self._offsets,
            partial(rehearse, self._book),
            self._landed,
            parts.settings.send_within_s,
        )
        return Desk(
            settings=parts.settings,
            topics=parts.topics,
            clock=parts.clock,
            book=self._book,
            lanes=lanes,
            journal=journal,
            outbox=Outbox(journal),
            events=OrderEvents(parts.stamp, parts.alpaca.account, parts.configuration_hash),
            control=control,
            crash=parts.crash,
            pace=Pace(parts.settings.rate_limit_reserve),
        )

    def _take_over(self) -> None:
        """Fold the log to its end, then say who acts now."""
        began_at = time.monotonic()
        for event, at in self._feed.catch_up():
            self._fold(event, at)
            self._election.hold()
        demand_whole(self._book, self._election.group)
        self._desk.read_halts()
        parts = self._parts
        account = parts.alpaca.account
        now = self._desk.now()
        activated = ExecutorActivated(
            event_id=str(
                derive_id("executor-activated", account, parts.stamp.instance, now, began_at)
            ),
            **parts.stamp.envelope(now),
            account=account,
            paper=parts.paper,
            configuration_hash=parts.configuration_hash,
        )
        self._desk.journal.commit([Outgoing(parts.topics.account, account, activated)])
        log.info(
            "acting for the account",
            account=account,
            paper=parts.paper,
            decisions=len(self._book.decisions),
            open_executions=len(self._book.open),
            read_from=sum(self._book.starts.values()),
            passed_over=self._book.passed_over,
            ready_s=round(time.monotonic() - began_at, 3),
        )

    def _loop(self, stop: threading.Event, updates: TradeUpdates | None) -> None:
        parts = self._parts
        sender, settler = Sender(self._desk), Settler(self._desk)
        answers = Answers(parts.stamp, parts.alpaca.account)
        operators = Operators(self._desk, self._election, answers, parts.replies, self._reconciler)
        while not stop.is_set():
            self._election.hold()
            lanes = self._desk.lanes
            is_busy = lanes.free < lanes.count
            if is_busy:
                lanes.wait(BUSY_WAIT_S)
            for event, at in self._feed.take(0 if is_busy else IDLE_WAIT_S):
                self._fold(event, at)
            try:
                now = self._parts.clock.now()
            except Retryable as error:
                log.warning("no order is sent without a clock", error=str(error))
                stop.wait(_PAUSE_S)
                continue
            self._desk.last_now = now
            self._look_back.forget(self._book, now)
            lanes.finish()
            self._desk.commit()
            operators.step()
            settler.step()
            self._follower.step(now, updates.take() if updates else [])
            self._reconciler.step(now)
            sender.step()
            self._desk.commit()
            self._save()
            self._publish(now)

    def _drain(self) -> None:
        """Record what becomes of the orders that were sent, as far as it comes in time."""
        desk, until = self._desk, time.monotonic() + DRAIN_S
        while desk.in_flight() and desk.lanes.free < desk.lanes.count and time.monotonic() < until:
            desk.lanes.wait(IDLE_WAIT_S)
            self._election.hold()
            desk.lanes.finish()
            desk.commit()

    def _fold(self, event: Event, at: Cause) -> None:
        if event.event_id in self._own_events:
            # Folded when it was committed; now it came back.
            self._own_events.discard(event.event_id)
            return
        if isinstance(event, BrokerOrderDiscovered):
            self._reconciler.discoveries.fold(event)
            return
        if isinstance(event, OrderUpdated) and event.execution_id not in self._book.executions:
            self._reconciler.discoveries.passed_over.add(event.client_order_id)
        try:
            self._book.fold(event, at)
        except Poison as error:
            self._feed.skip()
            log.error("skipping an event that contradicts the log", error=str(error), at=at)

    def _landed(self, event: Event, at: Cause) -> None:
        if not isinstance(event, _FOLDED) or (at.topic, at.partition) not in self._feed.positions:
            return
        self._own_events.add(event.event_id)
        try:
            self._book.fold(event, at)
        except Poison as error:
            raise Fatal(f"this executor committed what it must not: {error}") from error

    def _offsets(self) -> dict[Place, int]:
        """Return what to commit per partition: the lowest unfinished decision, else how far it is read."""
        offsets = {}
        for place, position in self._feed.positions.items():
            lowest = self._book.lowest_unfinished(place)
            offsets[place] = position if lowest is None else min(lowest, position)
        return offsets

    def _save(self) -> None:
        offsets = self._offsets()
        if offsets == self._saved or time.monotonic() - self._saved_at < OFFSETS_EVERY_S:
            return
        self._desk.journal.commit([])
        self._saved, self._saved_at = offsets, time.monotonic()

    def _publish(self, now: datetime) -> None:
        book, looked_at = self._book, self._follower.looked_at
        lanes = self._desk.lanes
        metrics.BUSY_LANES.set(lanes.count - lanes.free)
        metrics.UNANSWERED.set(len(book.open))
        metrics.PENDING.set(book.pending_count())
        self.standing = Standing(
            positions={f"{t}/{p}": offset for (t, p), offset in self._feed.positions.items()}
            | {f"{self._parts.topics.control}/0": self._desk.control.position},
            pending=book.pending_count(),
            unanswered=len(book.open),
            looked_at=tuple(looked_at.values()),
            held={e.symbol: f"{e.status} {e.execution_id}" for e in book.unsettled()},
            skipped_events=self._feed.skipped_count,
            broker=self._desk.pace.reason or "ok",
            stream=self._follower.stream,
            troubled=dict(self._follower.troubles),
            halted=self._desk.halts.told(),
            as_of=now,
        )
