"""What the steps of the active executor share: the book, the journal, the broker, and how a step is recorded."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from services.executor import metrics
from services.executor.book import Book, Execution
from services.executor.broker import Broker
from services.executor.crash import CrashPoints
from services.executor.feed import ControlFeed
from services.executor.fills import (
    fill_by_totals,
    fills_between,
    says_something_new,
    status_by,
)
from services.executor.guarded_http import Exchange
from services.executor.halts import Halts
from services.executor.journal import Journal
from services.executor.orders import (
    OrderEvents,
    Progress,
    call_id,
)
from services.executor.outcomes import Accepted, BrokerOrder, Fill, NotSent, Outcome, Refused
from services.executor.pace import Pace
from services.executor.settings import ExecutorSettings
from services.executor.statuses import TERMINAL, refusal_reason
from services.executor.ticket import LiveTicket
from tradetrail.clock import Clock
from tradetrail.errors import Retryable
from tradetrail.events import Event
from tradetrail.events.generated import CallPurpose, OrderStatus, UpdateSource
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
    broker: Broker
    journal: Journal
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
            self.halts.fold(act)

    def on_symbol(self, symbol: str, *events: Event) -> list[Outgoing]:
        """Return events for a symbol's topic."""
        topic = self.topics.for_symbol(symbol)
        return [Outgoing(topic, symbol, event) for event in events]

    def state(self, execution: Execution, status: OrderStatus) -> Outgoing:
        """Return the execution's compacted state: kept while it is open, deleted when it is over."""
        kept = None if status in TERMINAL else self.events.kept(execution, status, self.now())
        return Outgoing(self.topics.executor_state, execution.execution_id, kept)

    def record(
        self,
        execution: Execution,
        progress: Progress,
        fills: list[Fill],
        calls: list[tuple[Exchange, CallPurpose]],
    ) -> None:
        """Commit one step of an execution together with the calls that told it."""
        self.journal.commit(self._outputs(execution, progress, fills, calls))

    def announce_again(self, execution: Execution, call: Exchange | None) -> LiveTicket:
        """Commit that an order is sent again under its old id, and return the ticket to do so."""
        progress = Progress(OrderStatus.SUBMITTING, UpdateSource.EXECUTOR)
        calls = [(call, CallPurpose.ORDER_LOOKUP)] if call else []
        outputs = self._outputs(execution, progress, [], calls)
        return self.journal.commit_intent(outputs, execution.execution_id)

    def take_outcome(self, execution: Execution, outcome: Outcome) -> None:
        """Commit what became of a POST."""
        calls = [(outcome.call, CallPurpose.ORDER_SUBMIT)]
        metrics.OUTCOMES.labels(type(outcome).__name__.lower()).inc()
        metrics.POST_SECONDS.observe(outcome.call.duration_us / 1e6)
        if isinstance(outcome, Accepted):
            self.pace.heard(outcome.call)
            self.take_snapshot(execution, outcome.order, UpdateSource.POST, calls)
        elif isinstance(outcome, Refused):
            self.pace.heard(outcome.call)
            progress = Progress(
                OrderStatus.REJECTED,
                UpdateSource.POST,
                failure=refusal_reason(outcome.status_code, outcome.message),
                message=outcome.message,
                raw=(outcome.call.body or b"").decode("utf-8", "replace"),
            )
            self.record(execution, progress, [], calls)
        elif isinstance(outcome, NotSent):
            self.not_sent.add(execution.execution_id)
            self.pace.failed(outcome.reason, outcome.call)
            message = f"not sent: {outcome.reason}"
            progress = Progress(OrderStatus.SUBMITTING, UpdateSource.EXECUTOR, message=message)
            self.record(execution, progress, [], calls)
        else:
            progress = Progress(OrderStatus.UNKNOWN, UpdateSource.POST, message=outcome.reason)
            self.record(execution, progress, [], calls)
        self.crash.passing("after_outcome")

    def take_snapshot(
        self,
        execution: Execution,
        order: BrokerOrder,
        source: UpdateSource,
        calls: list[tuple[Exchange, CallPurpose]],
    ) -> bool:
        """Commit what a snapshot of an order says anew; return whether it said anything."""
        if not says_something_new(execution, order):
            return False
        fills: list[Fill] = []
        if order.filled_qty > execution.filled_qty_total:
            fills = self._fills(execution, order, calls)
        status = status_by(execution, order)
        if status is OrderStatus.REPLACED:
            message = f"the broker replaced it by order {order.replaced_by}"
            progress = Progress(status, source, order=order, message=message)
        else:
            progress = Progress(status, source, order=order)
        self.crash.passing("before_fill" if fills else "before_update")
        self.record(execution, progress, fills, calls)
        self.crash.passing("after_fill" if fills else "after_update")
        return True

    def hear(self, fill: Fill) -> None:
        """Remember a single fill until a snapshot needs it."""
        self.heard_fills.setdefault(fill.broker_order_id, []).append(fill)
        if len(self.heard_fills) > HEARD_ORDERS_MAX:
            self.heard_fills.popitem(last=False)

    def _fills(
        self,
        execution: Execution,
        order: BrokerOrder,
        calls: list[tuple[Exchange, CallPurpose]],
    ) -> list[Fill]:
        """Return the fills a snapshot tells of: from the stream, else the activities, else by its totals."""
        heard = fills_between(execution, order, self.heard_fills.get(order.order_id, []))
        if heard is not None:
            return heard
        listed, away = self.broker.fills(order.order_id, order.submitted_at)
        listed_chain = None if away else fills_between(execution, order, listed)
        if listed_chain is not None:
            if self.broker.last_call is not None:
                calls.append((self.broker.last_call, CallPurpose.RECONCILE))
            return listed_chain
        return fill_by_totals(execution, order)

    def _outputs(
        self,
        execution: Execution,
        progress: Progress,
        fills: list[Fill],
        calls: list[tuple[Exchange, CallPurpose]],
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
        recorded += self.events.updates(execution, progress, fills, now, ids[0] if ids else None)
        return [
            *self.on_symbol(execution.symbol, *recorded),
            self.state(execution, progress.status),
        ]
