"""A log that an executor could have written, drawn at random: decisions, orders, fills, retries, nights between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from services.executor.state.book import Book, Execution, next_actions
from services.executor.state.rehearsal import rehearse
from services.executor.state.retries import Retries
from services.executor.state.statuses import TERMINAL, TRANSITIONS
from tests.integration.executor.harness import decision_made
from tests.unit.executor_events import EVENTS, NOW, at, intent_of, update_of
from tradetrail.events import Event
from tradetrail.events.generated import (
    Cause,
    Control,
    FailureReason,
    OrderStatus,
    OrderUpdated,
    RiskCheck,
)

PLACE = ("trade.default", 0)
RETRIES = Retries(2, 60.0)
S = OrderStatus
_REASONS = (FailureReason.RATE_LIMIT_EXCEEDED, FailureReason.INVALID_ORDER)
_HALTED = RiskCheck(control=Control.HALT, passed=False, unit="yes=1", explanation="halted")
Entry = tuple[Event, Cause]


@dataclass
class Writer:
    """Writes a legal log; ``committed`` is what the group had committed at the last checkpoint."""

    now: datetime = NOW
    book: Book = field(default_factory=lambda: Book(retries=RETRIES))
    entries: list[Entry] = field(default_factory=list)
    committed: int = 0

    def write(self, event: Event) -> None:
        """Put one event at the end, as the executor would: rehearsed first."""
        rehearse(self.book, [event])
        offset = len(self.entries)
        place = at(offset, event.event_id)
        self.entries.append((event, place))
        self.book.fold(event, place)

    def decide(self, symbol: str) -> None:
        """Make a decision."""
        name = f"d{len(self.entries)}"
        self.write(decision_made(name, symbol, at=self.now.isoformat(), strength="5"))

    def send(self) -> None:
        """Begin an order for whatever may go first."""
        for decision in next_actions(self.book, self.now, market_is_open=True)[:1]:
            self.write(intent_of(decision, self.now))

    def block(self) -> None:
        """Let a control refuse whatever may go first."""
        for decision in next_actions(self.book, self.now, market_is_open=True)[:1]:
            self.write(EVENTS.blocked(decision, _HALTED, (_HALTED,), self.now))

    def replace_order(self, which: int) -> None:
        """Begin to replace an open order."""
        found = self.book.followed()
        if not found:
            return
        old = found[which % len(found)]
        decision = self.book.decisions[old.decision_id]
        event = intent_of(decision, self.now)
        self.write(replace(event, method="PATCH", previous_execution_id=old.execution_id))

    def update(self, which: int, choice: int, shares: int) -> None:
        """Let something become of an open order."""
        if not self.book.open:
            return
        execution = list(self.book.open.values())[which % len(self.book.open)]
        following = [s for s in S if s in TRANSITIONS[execution.status]]
        status = following[choice % len(following)]
        left = execution.quantity - execution.filled_qty_total
        fill = Decimal(0)
        if status is S.FILLED:
            fill = left
        elif status is S.PARTIALLY_FILLED or (status in TERMINAL and status is not S.REJECTED):
            fill = min(Decimal(shares), max(left - 1, Decimal(0)))
        if status is S.ERROR:
            fill = Decimal(0)
        failure = _REASONS[shares % 2] if status in (S.REJECTED, S.ERROR) else None
        self.write(self.updated(execution, status, fill, failure))

    def updated(
        self,
        execution: Execution,
        status: OrderStatus,
        fill: Decimal,
        failure: FailureReason | None,
    ) -> OrderUpdated:
        """Return what a step of an execution says, as the executor would."""
        intent = intent_of(self.book.decisions[execution.decision_id], self.now)
        failure = self.book.failure_of(execution, status, failure)
        event = update_of(
            replace(
                intent,
                execution_id=execution.execution_id,
                attempt_number=execution.attempt_number,
            ),
            status,
            str(execution.filled_qty_total + fill),
            fill=str(fill),
            makes=self.book.status_after(execution, status, failure),
            failure=failure,
            when=self.now,
            name=f"u{len(self.entries)}",
        )
        return replace(event, cause=execution.cause)

    def pass_time(self, minutes: int) -> None:
        """Let time pass."""
        self.now += timedelta(minutes=minutes)

    def checkpoint(self) -> None:
        """Commit offsets as the loop does."""
        lowest = self.book.lowest_unfinished(PLACE)
        self.committed = len(self.entries) if lowest is None else lowest


_small = st.integers(0, 7)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.sampled_from(["ACME", "SPLT"])),
        st.tuples(st.just("send")),
        st.tuples(st.just("send")),
        st.tuples(st.just("block")),
        st.tuples(st.just("replace_order"), _small),
        st.tuples(st.just("update"), _small, st.integers(0, 20), _small),
        st.tuples(st.just("update"), _small, st.integers(0, 20), _small),
        st.tuples(st.just("pass_time"), st.sampled_from([1, 30, 240, 1440])),
        st.tuples(st.just("checkpoint")),
    ),
    min_size=15,
    max_size=60,
)


def written(steps: list[tuple[object, ...]]) -> Writer:
    """Return what these steps wrote."""
    writer = Writer()
    for name, *arguments in steps:
        getattr(writer, str(name))(*arguments)
    return writer
