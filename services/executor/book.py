"""What the log says about decisions and executions: folded, never guessed. Pure.

The same fold serves a restart, a takeover and the live loop. Nothing here reads a clock or a network.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from services.executor.statuses import (
    DECISION_TERMINAL,
    TERMINAL,
    TRANSITIONS,
    UNSETTLED,
)
from tradetrail.errors import Poison
from tradetrail.events import Event
from tradetrail.events.generated import (
    Cause,
    Control,
    DecisionMade,
    DecisionStatus,
    OrderBlocked,
    OrderStatus,
    OrderSubmitting,
    OrderType,
    OrderUpdated,
    Side,
    TimeInForce,
)
from tradetrail.log.reader import Place
from tradetrail.sessions import new_york_date

ZERO = Decimal(0)


@dataclass(slots=True)
class Decision:
    """A decision and what has become of it. ``cause`` is its own place in the log."""

    decision_id: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    strategy_name: str
    signal_strength: Decimal
    decided_at: datetime
    price: Decimal | None
    cause: Cause
    status: DecisionStatus = DecisionStatus.PENDING


@dataclass(slots=True)
class Execution:
    """One attempt of a decision. ``sends`` counts how often it was about to be sent; ``cause`` is its intent."""

    execution_id: str
    decision_id: str
    symbol: str
    attempt_number: int
    client_order_id: str
    request: str
    side: Side
    quantity: Decimal
    cause: Cause
    reserved_usd: Decimal = ZERO
    status: OrderStatus = OrderStatus.SUBMITTING
    sends: int = 1
    broker_order_id: str | None = None
    broker_status: str | None = None
    filled_qty_total: Decimal = ZERO
    filled_avg_price: Decimal | None = None


@dataclass(slots=True)
class DayUse:
    """What one New York day has used of the daily limits."""

    order_count: int = 0
    notional_usd: Decimal = ZERO


@dataclass(slots=True)
class Book:
    """Every decision and execution by the log."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    open: dict[str, Execution] = field(default_factory=dict)
    waiting: dict[str, deque[Decision]] = field(default_factory=dict)
    unfinished: dict[Place, dict[str, int]] = field(default_factory=dict)
    days: dict[date, DayUse] = field(default_factory=dict)
    last_equal: dict[tuple[str, str, Side, Decimal], tuple[datetime, str]] = field(
        default_factory=dict
    )

    def fold(self, event: Event, at: Cause) -> None:
        """Take one event in; ``at`` is its place. Raises Poison for one that contradicts what is known."""
        if isinstance(event, DecisionMade):
            self._decided(event, at)
        elif isinstance(event, OrderSubmitting):
            self._submitting(event, at)
        elif isinstance(event, OrderUpdated):
            self._updated(event)
        elif isinstance(event, OrderBlocked):
            self._become(self._decision(event.decision_id, event), DecisionStatus.FAILED)

    def is_held(self, symbol: str) -> bool:
        """Tell whether the outcome of a POST for ``symbol`` is not known yet."""
        return any(e.symbol == symbol and e.status in UNSETTLED for e in self.open.values())

    def unsettled(self) -> list[Execution]:
        """Return the executions whose outcome isn't known, oldest first."""
        return [e for e in self.open.values() if e.status in UNSETTLED]

    def followed(self) -> list[Execution]:
        """Return the executions that are open at the broker, oldest first."""
        return [e for e in self.open.values() if e.status not in UNSETTLED]

    def pending_count(self) -> int:
        """Return how many decisions wait for their turn."""
        return sum(len(queue) for queue in self.waiting.values())

    def lowest_unfinished(self, place: Place) -> int | None:
        """Return the offset of the oldest decision in ``place`` that has no final outcome, if there is one."""
        return next(iter(self.unfinished.get(place, {}).values()), None)

    def day_use(self, now: datetime) -> DayUse:
        """Return what the New York day of ``now`` has used so far."""
        return self.days.get(new_york_date(now), DayUse())

    def _decided(self, event: DecisionMade, at: Cause) -> None:
        if event.decision_id in self.decisions:
            return
        if event.symbol is None:
            raise Poison(f"decision {event.decision_id} names no symbol")
        market = event.rationale.market_context
        decision = Decision(
            decision_id=event.decision_id,
            symbol=event.symbol,
            side=event.side,
            quantity=event.quantity,
            order_type=event.order_type,
            limit_price=event.limit_price,
            time_in_force=event.time_in_force,
            strategy_name=event.strategy_name,
            signal_strength=event.rationale.signal_strength,
            decided_at=event.occurred_at,
            price=market.current_price if market else None,
            cause=at,
        )
        self.decisions[event.decision_id] = decision
        self.waiting.setdefault(event.symbol, deque()).append(decision)
        self.unfinished.setdefault((at.topic, at.partition), {})[event.decision_id] = at.offset

    def _submitting(self, event: OrderSubmitting, at: Cause) -> None:
        if event.execution_id in self.executions:
            return
        decision = self._decision(event.decision_id, event)
        execution = begun(event, decision.symbol, at)
        self.executions[event.execution_id] = self.open[event.execution_id] = execution
        use = self.days.setdefault(new_york_date(event.occurred_at), DayUse())
        use.order_count += 1
        use.notional_usd += _notional(event)
        self.last_equal[equality(decision)] = (event.occurred_at, decision.decision_id)
        self._become(decision, DecisionStatus.EXECUTING)

    def _updated(self, event: OrderUpdated) -> None:
        execution = self.executions.get(event.execution_id)
        if execution is None:
            raise Poison(f"update of execution {event.execution_id}, which was never begun")
        if event.status not in TRANSITIONS[execution.status]:
            raise Poison(
                f"execution {event.execution_id} is {execution.status} and can't become {event.status}"
            )
        if event.filled_qty_total < execution.filled_qty_total:
            raise Poison(f"the filled quantity of execution {event.execution_id} can't fall")
        if event.status is OrderStatus.SUBMITTING and event.error_message is None:
            execution.sends += 1
        execution.status = event.status
        execution.broker_order_id = event.broker_order_id or execution.broker_order_id
        execution.broker_status = event.broker_status or execution.broker_status
        execution.filled_qty_total = event.filled_qty_total
        execution.filled_avg_price = event.filled_avg_price or execution.filled_avg_price
        if execution.status in TERMINAL:
            self.open.pop(execution.execution_id, None)
        self._become(self._decision(event.decision_id, event), event.decision_status)

    def _decision(self, decision_id: str, event: Event) -> Decision:
        decision = self.decisions.get(decision_id)
        if decision is None:
            raise Poison(f"{event.TYPE} {event.event_id} names decision {decision_id}, never seen")
        return decision

    def _become(self, decision: Decision, status: DecisionStatus) -> None:
        if decision.status in DECISION_TERMINAL:
            raise Poison(f"decision {decision.decision_id} is {decision.status}: that is final")
        if decision.status is DecisionStatus.PENDING:
            queue = self.waiting[decision.symbol]
            queue.remove(decision)
            if not queue:
                del self.waiting[decision.symbol]
        decision.status = status
        if status in DECISION_TERMINAL:
            place = (decision.cause.topic, decision.cause.partition)
            self.unfinished[place].pop(decision.decision_id, None)


def next_actions(book: Book, *, market_is_open: bool) -> list[Decision]:
    """Return the decisions that may be sent now: one a symbol, the strongest signal first, ties by id.

    Within a symbol the order of the log holds; a symbol with an order of unknown outcome is held.
    """
    if not market_is_open:
        return []
    held = {execution.symbol for execution in book.unsettled()}
    heads = [queue[0] for symbol, queue in book.waiting.items() if symbol not in held]
    return sorted(heads, key=lambda decision: (-decision.signal_strength, decision.decision_id))


def begun(event: OrderSubmitting, symbol: str, at: Cause) -> Execution:
    """Return the execution that an intent begins; ``at`` is the intent's place."""
    return Execution(
        execution_id=event.execution_id,
        decision_id=event.decision_id,
        symbol=symbol,
        attempt_number=event.attempt_number,
        client_order_id=event.client_order_id,
        request=event.request,
        side=event.side,
        quantity=event.quantity,
        cause=at,
        reserved_usd=_notional(event) if event.side is Side.BUY else ZERO,
    )


def equality(decision: Decision) -> tuple[str, str, Side, Decimal]:
    """Return what makes two orders equal for the duplicate control."""
    return (decision.strategy_name, decision.symbol, decision.side, decision.quantity)


def _notional(event: OrderSubmitting) -> Decimal:
    for check in event.risk_checks:
        if check.control is Control.ORDER_NOTIONAL and check.observed is not None:
            return check.observed
    return event.quantity * (event.limit_price or ZERO)
