"""The step for orders that are open at the broker: polls, hints and snapshots, until each is over.

All requests go over the lanes. An answer that may be older than what is recorded is dropped: its order changed while it
was asked for. What is not told of is asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from services.executor import metrics
from services.executor.broker.fills import chain_between
from services.executor.broker.order_list import Listed
from services.executor.following.hints import Hints
from services.executor.following.mute import MuteWatch
from services.executor.following.order_look import Look, Wanted, look_at
from services.executor.following.schedule import Schedule
from services.executor.following.stream import Correction, Hint, TradeUpdates
from services.executor.following.troubles import FORGOTTEN, Troubles, trouble_of
from services.executor.recording.desk import Desk
from services.executor.recording.shared_calls import SharedCalls
from services.executor.state.book import Execution
from services.executor.state.entries import State
from tradetrail.events.generated import CallPurpose, UpdateSource

# A clock that moved this much further than real time did was set: everything may have changed.
CLOCK_JUMP_S = 30.0
# Hinted orders are asked for one by one up to this many at once, else by a list.
HINTED_SINGLY_MAX = 5
# The activities may lag behind the order: its single fills are waited for this often before its totals must do.
FILL_TRIES_MAX = 4
# Orders that a list lacked and that were too many to ask for one by one: the next of them after this.
NOT_TOLD_S = 5.0
LIST = "list"
"""The key of a look at all open orders."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A look that is under way: what for, when it began, and what the log said then."""

    source: UpdateSource
    at: datetime
    monotonic_s: float
    is_list: bool
    states: dict[str, State]
    hinted: frozenset[str] = field(default_factory=frozenset)


class Follower:
    """Follows every open order; polls that say nothing new are counted, not stored."""

    def __init__(self, desk: Desk, updates: TradeUpdates | None = None) -> None:
        """Work at ``desk``, with the hints of ``updates``; without, polls alone must do."""
        self._desk = desk
        self._updates = updates
        self._watch = MuteWatch(desk.settings.stream_mute_after_s)
        self._hints = Hints(desk, self._watch)
        self._schedule = Schedule(desk.settings.poll_every_s, desk.pace)
        self._calls = SharedCalls(desk)
        self._clock: tuple[datetime, float] | None = None
        self._known_at: dict[str, float] = {}
        self._fill_tries: dict[str, int] = {}
        self._single_count = 0
        self.looked_at: dict[str, datetime] = {}
        self.corrections: list[Correction] = []
        """Fills that the broker changed: whoever tells of them takes them from here."""
        self.noted = Troubles()
        """What is odd about orders."""

    @property
    def stream(self) -> str:
        """Return how the stream is: off, away, mute or connected."""
        if self._updates is None:
            return "off"
        if not self._updates.is_connected:
            return "away"
        return "mute" if self._watch.is_mute else "connected"

    @property
    def troubles(self) -> dict[str, str]:
        """Return what is odd about orders, by execution id."""
        return self.noted.told

    @property
    def strangers(self) -> set[str]:
        """Return the orders that the stream told of and that are not ours; whoever takes them empties it."""
        return self._hints.strangers

    def look_at_all(self) -> None:
        """Let the next look be a snapshot of every open order, at once."""
        self._schedule.ask_for_all()

    def step(self, now: datetime, hints: Sequence[Hint]) -> None:
        """Begin the looks that are due; ``now`` is the injected clock's instant."""
        followed = self._desk.book.followed()
        at = time.monotonic()
        self.corrections += [hint.correction for hint in hints if hint.correction]
        for execution in reversed(followed):
            if execution.execution_id in self._known_at:
                # New ones stand at the end.
                break
            self._known_at[execution.execution_id] = at
        if self._hints.take(hints, followed, at) or self._clock_jumped(now, at):
            self._schedule.ask_for_all()
        self._judge_stream(at)
        if followed:
            self._begin_singles(followed, now, at)
            self._begin_list(followed, now, at)
        else:
            self._schedule.nothing_open(at)
        if len(self._known_at) != len(followed):
            self._tidy(followed)

    def _begin_singles(self, followed: list[Execution], now: datetime, at: float) -> None:
        """Ask for hinted orders one by one, while lanes are left for orders that wait to be sent."""
        hinted = self._hints.among(followed)
        desk = self._desk
        if not hinted or not self._schedule.may_hint(has_waiting=bool(desk.book.waiting)):
            return
        if len(hinted) > HINTED_SINGLY_MAX:
            self._schedule.ask_soon(0.0)
            return
        for each in hinted:
            if self._single_count >= max(1, desk.lanes.count // 2):
                return
            if self._look(each.execution_id, [each], UpdateSource.STREAM, now, at):
                self._single_count += 1

    def _begin_list(self, followed: list[Execution], now: datetime, at: float) -> None:
        """Ask for every open order at once when a poll is due, or more."""
        if not self._schedule.is_due(at, has_waiting=bool(self._desk.book.waiting)):
            return
        source = UpdateSource.SNAPSHOT if self._schedule.is_for_all else UpdateSource.POLL
        # What the broker forgot comes last, the longest unseen first: it is asked for one by one, a few at a time.
        wanted = sorted(followed, key=self._forgotten_last)
        if self._look(LIST, wanted, source, now, at):
            self._schedule.begun(at, is_mute=self._watch.is_mute)

    def _forgotten_last(self, execution: Execution) -> tuple[bool, datetime]:
        is_forgotten = self.noted.known.get(execution.execution_id) == FORGOTTEN
        seen_at = self.looked_at.get(execution.execution_id, execution.began_at)
        return is_forgotten, seen_at if is_forgotten else execution.began_at

    def _look(
        self, key: str, wanted: list[Execution], source: UpdateSource, now: datetime, at: float
    ) -> bool:
        desk = self._desk
        asked = [_wanted(each) for each in wanted]
        begun = _Begun(
            source,
            now,
            at,
            key == LIST,
            {each.execution_id: each.state for each in wanted},
            frozenset(each.execution_id for each in self._hints.among(wanted)),
        )
        if not desk.lanes.ask(
            key,
            lambda broker: look_at(broker, asked, desk.heard),
            partial(self._ended, begun),
        ):
            return False
        for each in wanted:
            self._hints.looking_at(each)
        return True

    def _ended(self, begun: _Begun, look: Look) -> None:
        """Take in what a look brought; runs on the loop's thread."""
        desk = self._desk
        if not begun.is_list:
            self._single_count -= 1
        self._schedule.ended(look.away, was_for_all=begun.source is UpdateSource.SNAPSHOT)
        if look.away is not None:
            desk.pace.failed(look.away.reason, look.away.call)
        elif look.last_call is not None:
            desk.pace.heard(look.last_call)
        for each_id, state in begun.states.items():
            execution = desk.book.open.get(each_id)
            if execution is None:
                continue
            desk.outbox.make_room(execution.decision_id)
            listed = look.found.get(each_id)
            if each_id not in desk.book.open:
                continue
            if execution.state != state:
                # It changed while it was asked for: the answer may be the older of the two.
                if not begun.is_list:
                    self._schedule.ask_soon()
            elif listed is not None:
                self._take(execution, listed, look, begun)
            elif each_id in look.forgotten:
                self.noted.note(execution, FORGOTTEN)
                self.looked_at[each_id] = begun.at
            elif look.away is None and self.noted.known.get(each_id) != FORGOTTEN:
                self._schedule.ask_soon(NOT_TOLD_S)
        self._calls.end()

    def _take(self, execution: Execution, listed: Listed, look: Look, begun: _Begun) -> None:
        """Enter what an answer says of an order, if that is anything new."""
        desk, order, each_id = self._desk, listed.order, execution.execution_id
        fills = look.fills.of.get(order.order_id, [])
        if self._awaits_fills(execution, listed, look):
            self._schedule.ask_soon()
            return
        recorded = execution.filled_qty_total
        self.noted.note(execution, trouble_of(order.status, order.filled_qty, recorded))
        source = begun.source
        if source is UpdateSource.POLL and each_id in begun.hinted:
            source = UpdateSource.STREAM
        is_told_once = listed.is_shared
        told_by = self._calls.name(listed.call, CallPurpose.ORDER_POLL) if is_told_once else None
        calls = [] if is_told_once else [(listed.call, CallPurpose.ORDER_POLL)]
        if desk.enter_snapshot(execution, order, source, calls, fills, told_by=told_by):
            if is_told_once:
                self._calls.enter(listed.call, CallPurpose.ORDER_POLL)
            for call in look.fills.calls if fills else ():
                self._calls.enter(call, CallPurpose.RECONCILE)
            if source is UpdateSource.POLL and self._updates is not None:
                since, connected_at = self._known_at[each_id], self._updates.connected_at
                self._watch.found(order.order_id, time.monotonic(), since, connected_at)
        else:
            metrics.IDLE_POLLS.inc()
        self._known_at[each_id] = begun.monotonic_s
        self.looked_at[each_id] = begun.at

    def _awaits_fills(self, execution: Execution, listed: Listed, look: Look) -> bool:
        """Tell whether to ask again, because the broker's activities don't tell all single fills yet."""
        order = listed.order
        before = execution.filled_qty_total
        known = [*self._desk.heard(order.order_id), *look.fills.of.get(order.order_id, ())]
        if order.filled_qty <= before or chain_between(before, order.filled_qty, known) is not None:
            self._fill_tries.pop(execution.execution_id, None)
            return False
        tries = self._fill_tries.get(execution.execution_id, 0) + 1
        self._fill_tries[execution.execution_id] = tries
        if tries < FILL_TRIES_MAX:
            return True
        log.warning(
            "the broker tells no single fills; its totals stand for them",
            execution_id=execution.execution_id,
            broker_order_id=order.order_id,
        )
        return False

    def _judge_stream(self, at: float) -> None:
        if self._updates is None or not self._watch.judge(at, self._updates.connected_at):
            return
        metrics.STREAM_MUTE.inc()
        log.warning(
            "the stream is connected and tells nothing; connecting anew, polling more often"
        )
        self._updates.reconnect()
        self._schedule.ask_soon()

    def _clock_jumped(self, now: datetime, at: float) -> bool:
        before, self._clock = self._clock, (now, at)
        if before is None:
            return True
        return abs((now - before[0]).total_seconds() - (at - before[1])) > CLOCK_JUMP_S

    def _tidy(self, followed: list[Execution]) -> None:
        """Forget orders that are over."""
        open_ids = {each.execution_id for each in followed}
        tables: tuple[dict[str, Any], ...] = (self._known_at, self.looked_at, self._fill_tries)
        for table in tables:
            for each_id in [each for each in table if each not in open_ids]:
                del table[each_id]
        self.noted.keep(open_ids)
        if not self._desk.book.open:
            self._desk.heard_fills.clear()


def _wanted(execution: Execution) -> Wanted:
    return Wanted(
        execution.execution_id,
        execution.client_order_id,
        execution.broker_order_id,
        execution.filled_qty_total,
        execution.began_at,
    )
