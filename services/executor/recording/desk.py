"""What the steps of the active executor share: the book, the journal, the lanes, and how a step is entered.

``enter`` and its kin collect a turn's outputs; ``commit`` puts them into the log, and only then into the book.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import structlog

from services.executor import metrics
from services.executor.broker.fills import (
    fill_by_totals,
    fills_between,
    says_something_new,
    status_by,
)
from services.executor.broker.lanes import Lanes
from services.executor.broker.looking import Calls, Posted
from services.executor.broker.outcomes import Accepted, BrokerOrder, Fill, NotSent, Refused
from services.executor.broker.pace import Pace
from services.executor.crash import CrashPoints
from services.executor.feed import ControlFeed
from services.executor.recording.journal import Journal
from services.executor.recording.orders import (
    OrderEvents,
    Progress,
    call_id,
)
from services.executor.recording.outbox import Outbox
from services.executor.settings import ExecutorSettings
from services.executor.state.book import Book, Execution
from services.executor.state.halts import Halts
from services.executor.state.statuses import TERMINAL, refusal_reason
from tradetrail.clock import Clock
from tradetrail.errors import Retryable
from tradetrail.events import Event
from tradetrail.events.generated import OrderStatus, UpdateSource
from tradetrail.log.producer import Outgoing
from tradetrail.log.topics import Topics

# Fills heard of for orders that aren't recorded yet; more than this many orders, and the oldest are forgotten.
HEARD_ORDERS_MAX = 10_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Desk:
    """The shared state of one activation; all use from one thread."""

    settings: ExecutorSettings
    topics: Topics
    clock: Clock
    book: Book
    lanes: Lanes
    journal: Journal
    outbox: Outbox
    events: OrderEvents
    control: ControlFeed
    crash: CrashPoints
    pace: Pace
    halts: Halts = field(default_factory=Halts)
    heard_fills: OrderedDict[str, list[Fill]] = field(default_factory=OrderedDict)
    not_sent: set[str] = field(default_factory=set)
    last_now: datetime | None = None

    def now(self) -> datetime:
        """Return the injected clock's instant; the last one known while a simulated clock is away."""
        try:
            self.last_now = self.clock.now()
        except Retryable:
            if self.last_now is None:
                raise
        return self.last_now

    def read_halts(self) -> None:
        """Read the control topic to its end: nothing is sent by an executor that hasn't."""
        for act in self.control.read_to_end():
            self.halts.fold(act, self.control.position - 1)

    def on_symbol(self, symbol: str, *events: Event) -> list[Outgoing]:
        """Return events for a symbol's topic."""
        topic = self.topics.for_symbol(symbol)
        return [Outgoing(topic, symbol, event) for event in events]

    def state(self, execution: Execution, status: OrderStatus) -> Outgoing:
        """Return the execution's compacted state: kept while it is open, deleted when it is over."""
        kept = None if status in TERMINAL else self.events.kept(execution, status, self.now())
        return Outgoing(self.topics.executor_state, execution.execution_id, kept)

    def in_flight(self) -> int:
        """Return how many orders were committed to be sent and have no recorded outcome, not even unknown."""
        return sum(
            each.status is OrderStatus.SUBMITTING and each.execution_id not in self.not_sent
            for each in self.book.unsettled()
        )

    def enter(
        self,
        execution: Execution,
        progress: Progress,
        fills: list[Fill],
        calls: Calls,
        afterwards: Callable[[], None] | None = None,
        told_by: str | None = None,
    ) -> None:
        """Put one step of an execution into the turn's outbox, with the calls that told it.

        ``told_by`` is the id of a call that told of several orders, and is recorded once, by itself.
        """
        self.outbox.make_room(execution.decision_id)
        outputs = self._outputs(execution, progress, fills, calls, told_by)
        self.outbox.put(outputs, execution.decision_id, afterwards)

    def commit(self) -> None:
        """Commit what the turn entered so far, in one transaction. Raises Lost when this process may not."""
        self.outbox.commit()

    def again(self, execution: Execution, calls: Calls) -> list[Outgoing]:
        """Return the intent to send an order again under its old id, with the calls that allow it."""
        progress = Progress(OrderStatus.SUBMITTING, UpdateSource.EXECUTOR)
        return self._outputs(execution, progress, [], calls)

    def enter_outcome(self, execution: Execution, posted: Posted) -> None:
        """Enter what became of a POST."""
        outcome, calls = posted.outcome, posted.calls
        metrics.OUTCOMES.labels(type(outcome).__name__.lower()).inc()
        metrics.POST_SECONDS.observe(outcome.call.duration_us / 1e6)
        after = self._passing("after_outcome")
        for call, _ in calls:
            self.pace.count(call)
        if isinstance(outcome, Accepted):
            self.pace.heard(outcome.call)
            self.enter_snapshot(
                execution, outcome.order, UpdateSource.POST, calls, posted.listed, after
            )
        elif isinstance(outcome, Refused):
            self.pace.heard(outcome.call)
            progress = Progress(
                OrderStatus.REJECTED,
                UpdateSource.POST,
                failure=refusal_reason(outcome.status_code, outcome.message),
                message=outcome.message,
                raw=(outcome.call.body or b"").decode("utf-8", "replace"),
            )
            self.enter(execution, progress, [], calls, after)
        elif isinstance(outcome, NotSent):
            if outcome.is_brokers_fault:
                self.pace.failed(outcome.reason, outcome.call)
            message = f"not sent: {outcome.reason}"
            progress = Progress(OrderStatus.SUBMITTING, UpdateSource.EXECUTOR, message=message)

            def committed() -> None:
                self.not_sent.add(execution.execution_id)
                after()

            self.enter(execution, progress, [], calls, committed)
        else:
            progress = Progress(OrderStatus.UNKNOWN, UpdateSource.POST, message=outcome.reason)
            self.enter(execution, progress, [], calls, after)

    def enter_snapshot(
        self,
        execution: Execution,
        order: BrokerOrder,
        source: UpdateSource,
        calls: Calls,
        listed: Sequence[Fill] = (),
        afterwards: Callable[[], None] | None = None,
        told_by: str | None = None,
    ) -> bool:
        """Enter what a snapshot of an order says anew; return whether it said anything.

        Its single fills are those heard of on the stream, else those ``listed``; else one fill stands for all.
        """
        self.outbox.make_room(execution.decision_id)
        if not says_something_new(execution, order):
            return False
        fills: list[Fill] = []
        if order.filled_qty > execution.filled_qty_total:
            fills = self._fills(execution, order, listed)
        status = status_by(execution, order)
        if status is OrderStatus.REPLACED:
            message = f"the broker replaced it by order {order.replaced_by}"
            progress = Progress(status, source, order=order, message=message)
        else:
            progress = Progress(status, source, order=order)
        self.crash.passing("before_fill" if fills else "before_update")
        passing = self._passing("after_fill" if fills else "after_update")

        def committed() -> None:
            passing()
            if afterwards is not None:
                afterwards()

        self.enter(execution, progress, fills, calls, committed, told_by)
        return True

    def heard(self, broker_order_id: str) -> tuple[Fill, ...]:
        """Return the fills heard of for an order; also for lanes."""
        return tuple(self.heard_fills.get(broker_order_id, ()))

    def hear(self, fill: Fill) -> None:
        """Remember a single fill until a snapshot needs it."""
        known = self.heard_fills.setdefault(fill.broker_order_id, [])
        if all(each.cumulative_qty != fill.cumulative_qty for each in known):
            known.append(fill)
        if len(self.heard_fills) > HEARD_ORDERS_MAX:
            self.heard_fills.popitem(last=False)

    def _passing(self, step: str) -> Callable[[], None]:
        return partial(self.crash.passing, step)

    def _fills(
        self,
        execution: Execution,
        order: BrokerOrder,
        listed: Sequence[Fill],
    ) -> list[Fill]:
        """Return the fills a snapshot tells of: from the stream, else the activities, else by its totals."""
        heard = fills_between(execution, order, self.heard(order.order_id))
        if heard is not None:
            return heard
        chain = fills_between(execution, order, listed)
        return fill_by_totals(execution, order) if chain is None else chain

    def _outputs(
        self,
        execution: Execution,
        progress: Progress,
        fills: list[Fill],
        calls: Calls,
        told_by: str | None = None,
    ) -> list[Outgoing]:
        now = self.now()
        failure = self.book.failure_of(execution, progress.status, progress.failure)
        progress = replace(progress, failure=failure)
        made = self.book.status_after(execution, progress.status, progress.reason)
        progress = replace(progress, decision=made)
        # The calls are named after the step they told of, which a repetition names alike.
        step = (
            f"{progress.status}/{progress.order.updated_at if progress.order else progress.message}"
        )
        ids = [
            call_id(execution.execution_id, f"{purpose}/{step}/{index}", execution.sends)
            for index, (_, purpose) in enumerate(calls)
        ]
        recorded: list[Event] = []
        for (exchange, purpose), each_id in zip(calls, ids, strict=True):
            recorded += self.events.call(exchange, purpose, each_id, now, execution)
        recorded += self.events.updates(execution, progress, fills, now, ids[0] if ids else told_by)
        return [
            *self.on_symbol(execution.symbol, *recorded),
            self.state(execution, progress.status),
        ]
