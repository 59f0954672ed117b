"""The step that compares the broker's orders with the log: at the start, now and then, and when a person asks.

What the log lacks becomes BrokerOrderDiscovered, once for each state that matters. Open orders of ours that differ are
looked at by the follower. Nothing is ever sent, cancelled or changed at the broker.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from services.executor import metrics
from services.executor.broker.order_list import Listed, Listing, list_orders
from services.executor.broker.outcomes import Away, BrokerOrder
from services.executor.broker.trading_api import Broker
from services.executor.following.follower import Follower
from services.executor.reconciling.corrections import Corrections
from services.executor.reconciling.discovered import discovered
from services.executor.reconciling.discoveries import Discoveries, Finding, Verdict, judge
from services.executor.recording.desk import Desk
from services.executor.recording.shared_calls import SharedCalls
from services.executor.state.book import Book
from services.executor.state.entries import State
from tradetrail.events.generated import CallPurpose

KEY = "reconcile"
# An order of another's that the stream told of is looked at within this; a busy stranger costs no more than that.
STRANGERS_EVERY_S = 5.0
# Discovered orders older than the window that were still open: asked for one by one, this many a time.
OLD_ORDERS_MAX = 8
# Orders of ours that contradict the log, asked for again before that is said: more are said next time.
CONFIRMED_MAX = 8
# The broker gave no whole answer: again after this.
RETRY_S = 10.0
# Answers to acts, kept until they are taken.
RESULTS_MAX = 100
# The last comparison may have missed what the broker listed late.
OVERLAP = timedelta(minutes=5)

log = structlog.get_logger(__name__)
_States = dict[str, State]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a comparison came to: orders compared, newly discovered, ours that differed and were looked at again."""

    compared: int
    discovered: int
    differing: int
    since: datetime


@dataclass(frozen=True, slots=True)
class _Begun:
    """A comparison under way: when it began, since when orders are compared, for which acts, and the log then."""

    at: datetime
    since: datetime
    asked: tuple[str, ...]
    states: _States


class Reconciler:
    """Compares when it is due. ``discoveries`` is to be folded from the log before the first step."""

    def __init__(self, desk: Desk, follower: Follower) -> None:
        """Work at ``desk``; what differs is for ``follower`` to look at."""
        self._desk = desk
        self._follower = follower
        self._calls = SharedCalls(desk)
        self._due_at = 0.0
        self._compared_through: datetime | None = None
        self._asked: list[str] = []
        self._results: OrderedDict[str, Counts] = OrderedDict()
        self.discoveries = Discoveries()
        self._corrections = Corrections(desk, self.discoveries, follower.noted)
        self.last: Counts | None = None

    def ask(self, act_id: str) -> None:
        """Let a comparison that begins from now on answer an act."""
        if act_id not in self._asked and act_id not in self._results:
            self._asked.append(act_id)
            self._due_at = 0.0

    def result(self, act_id: str) -> Counts | None:
        """Return, once, what the comparison for an act came to; None while it is not over."""
        return self._results.pop(act_id, None)

    def step(self, now: datetime) -> None:
        """Begin a comparison if one is due; ``now`` is the injected clock's instant."""
        at, desk = time.monotonic(), self._desk
        while self._follower.corrections:
            self._corrections.take(self._follower.corrections.pop(0))
        if self._follower.strangers:
            self._due_at = min(self._due_at, at + STRANGERS_EVERY_S)
            self._follower.strangers.clear()
        if at < self._due_at or desk.pace.is_limited:
            return
        if desk.pace.is_scarce and desk.book.waiting and not self._asked:
            return
        since = self._since(now)
        old = self.discoveries.open_before(since)[:OLD_ORDERS_MAX]
        begun = _Begun(now, since, tuple(self._asked), _states(desk.book))
        if desk.lanes.ask(
            KEY, partial(_compare, since=since, old=old), partial(self._ended, begun)
        ):
            self._asked.clear()
            self._due_at = at + desk.settings.reconcile_every_s

    def _since(self, now: datetime) -> datetime:
        """Return from when on orders are compared: never from before what the book knows."""
        since = now - timedelta(hours=self._desk.settings.reconcile_look_back_h)
        if self._compared_through is not None:
            since = min(since, self._compared_through - OVERLAP)
        known_since = self._desk.book.known_since
        return since if known_since is None else max(since, known_since)

    def _ended(self, begun: _Begun, listing: Listing) -> None:
        """Judge what was listed; runs on the loop's thread."""
        desk = self._desk
        if listing.away is not None:
            desk.pace.failed(listing.away.reason, listing.away.call)
        # What was entered in this turn is part of the log that the broker is compared with.
        desk.commit()
        orders = [each.order for each in listing.orders.values()]
        moved = _moved(begun.states, desk.book)
        verdict = judge(orders, desk.book, self.discoveries, moved)
        for finding in verdict.findings:
            if finding.execution is None:
                self._enter(finding, listing.orders[finding.order.order_id])
        self._calls.end()
        self._confirm([each for each in verdict.findings if each.execution is not None])
        if verdict.differing:
            self._follower.look_at_all()
        if not listing.is_whole:
            log.warning(
                "the broker's orders could not all be compared", since=begun.since.isoformat()
            )
            self._due_at = time.monotonic() + min(RETRY_S, desk.settings.reconcile_every_s)
            self._asked = [*begun.asked, *self._asked]
            return
        self._compared_through = begun.at
        self.discoveries.forget(begun.since)
        self._answer(begun, verdict)

    def _confirm(self, findings: list[Finding]) -> None:
        """Ask again for orders of ours that contradict the log, one by one: a list may lag behind."""
        ids = [finding.order.order_id for finding in findings[:CONFIRMED_MAX]]
        if not ids:
            return
        states = _states(self._desk.book)
        if not self._desk.lanes.ask(KEY, partial(_ask_for, ids), partial(self._confirmed, states)):
            self._due_at = 0.0

    def _confirmed(self, states: _States, found: dict[str, Listed]) -> None:
        desk = self._desk
        desk.commit()
        moved = _moved(states, desk.book)
        orders = [each.order for each in found.values()]
        for finding in judge(orders, desk.book, self.discoveries, moved).findings:
            self._enter(finding, found[finding.order.order_id])
        self._calls.end()

    def _answer(self, begun: _Begun, verdict: Verdict) -> None:
        counts = Counts(
            verdict.compared, len(verdict.findings), len(verdict.differing), begun.since
        )
        self.last = counts
        for act_id in begun.asked:
            self._results[act_id] = counts
        while len(self._results) > RESULTS_MAX:
            self._results.popitem(last=False)
        log.info(
            "compared the broker's orders with the log",
            since=begun.since.isoformat(),
            compared=verdict.compared,
            discovered=len(verdict.findings),
            differing=len(verdict.differing),
            unjudged=verdict.unjudged,
        )

    def _enter(self, finding: Finding, listed: Listed) -> None:
        desk = self._desk
        desk.outbox.make_room(finding.order.order_id)
        event = discovered(desk.events, desk.book, finding, desk.now())
        self._calls.enter(listed.call, CallPurpose.RECONCILE)
        desk.outbox.put(desk.on_symbol(event.symbol or "", event))
        self.discoveries.fold(event)
        whose = "stranger" if finding.execution is None else "ours"
        metrics.DISCOVERED.labels(whose).inc()
        tell = log.warning if finding.execution is None else log.critical
        tell(
            "the broker has an order that the log lacked",
            explanation=finding.explanation,
            symbol=event.symbol,
            broker_order_id=event.broker_order_id,
            broker_status=event.broker_status,
            decision_id=event.decision_id,
            execution_id=event.execution_id,
        )


def _compare(broker: Broker, *, since: datetime, old: Sequence[str]) -> Listing:
    """List the orders since an instant, and ask for older ones that were open; runs on a lane."""
    listing = list_orders(broker, "all", since.isoformat())
    if listing.away is None:
        listing.orders |= _ask_for(old, broker)
    return listing


def _ask_for(order_ids: Sequence[str], broker: Broker) -> dict[str, Listed]:
    """Return the orders of these ids, as far as the broker tells; runs on a lane."""
    found = {}
    for order_id in order_ids:
        told = broker.order(order_id)
        call = broker.last_call
        if isinstance(told, Away):
            break
        if isinstance(told, BrokerOrder) and call is not None:
            found[order_id] = Listed(told, call)
    return found


def _states(book: Book) -> _States:
    return {each.execution_id: each.state for each in book.executions.values()}


def _moved(before: _States, book: Book) -> set[str]:
    """Return the executions that are new, or not as they were."""
    return {each for each, state in _states(book).items() if before.get(each) != state}
