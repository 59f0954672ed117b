"""People's acts on orders, judged against the book: what is done, awaited, refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from services.executor.operators.acts import (
    Cancelled,
    CancelOpen,
    CancelWaiting,
    Refuse,
    Replace,
    Replacing,
    Settle,
    Task,
    Wait,
    judge,
)
from services.executor.state.book import Book
from tests.integration.executor.harness import decision_made
from tests.unit.executor_events import EVENTS, NOW, at, intent_of, update_of
from tradetrail.events import Event
from tradetrail.events.generated import (
    DecisionStatus,
    FailureReason,
    OperatorAct,
    OperatorActed,
    OrderStatus,
    OrderSubmitting,
)
from tradetrail.operator_acts import (
    Fate,
    Replacement,
    asked,
    replacement,
    replacement_arguments,
    resolution,
    resolution_arguments,
)

S = OrderStatus
BROKER_ID = "b-1"


@dataclass
class World:
    """A book with one decision, and what is told of its order."""

    limit: str | None = "100"
    book: Book = field(default_factory=Book)
    offset: int = 0

    def __post_init__(self) -> None:
        self.made = decision_made("one", limit_price=self.limit)
        self.fold(self.made)
        self.decision = self.book.decisions[self.made.decision_id]

    def fold(self, event: Event) -> None:
        self.book.fold(event, at(self.offset, event.event_id))
        self.offset += 1

    def sent(self, *statuses: OrderStatus, total: str = "0", **more: FailureReason) -> World:
        """Send its order and let it become each of ``statuses``, the last with ``total`` shares filled."""
        intent = intent_of(self.decision)
        self.fold(intent)
        self.intent = intent
        for status in statuses:
            last = status is statuses[-1]
            update = update_of(intent, status, total if last else "0", **(more if last else {}))  # type: ignore[arg-type]
            self.fold(replace(update, broker_order_id=BROKER_ID, event_id=f"u{self.offset}"))
        return self

    def act(
        self, kind: OperatorAct, wanted: str | None = None, **arguments: object
    ) -> OperatorActed:
        told = asked(kind, wanted or self.made.decision_id, ("ann", "test", "k"), arguments)
        return replace(told, symbol="ACME").event(EVENTS.stamp.envelope(NOW))

    def cancel(self, wanted: str | None = None) -> Task:
        return judge(self.act(OperatorAct.CANCEL_ORDER, wanted), self.book)

    def replace(self, quantity: str | None = None, limit: str | None = None) -> Task:
        arguments = replacement_arguments(replacement(quantity, limit))
        return judge(self.act(OperatorAct.REPLACE_ORDER, **arguments), self.book)

    def resolve(self, fate: Fate, quantity: str | None = None, price: str | None = None) -> Task:
        arguments = resolution_arguments(resolution(fate, quantity, price, None))
        return judge(self.act(OperatorAct.RESOLVE_ORDER, **arguments), self.book)


def refused(task: Task) -> str:
    assert isinstance(task, Refuse), task
    return task.why


def test_a_waiting_decision_is_cancelled_at_once() -> None:
    assert isinstance(World().cancel(), CancelWaiting)


@pytest.mark.parametrize("status", [S.SUBMITTED, S.ACCEPTED, S.PARTIALLY_FILLED])
def test_an_open_order_is_cancelled_by_the_broker(status: OrderStatus) -> None:
    world = World().sent(status, total="3" if status is S.PARTIALLY_FILLED else "0")
    for wanted in (world.made.decision_id, world.intent.execution_id):
        task = world.cancel(wanted)
        assert isinstance(task, CancelOpen)
        assert task.execution.broker_order_id == BROKER_ID


def test_what_is_under_way_is_awaited() -> None:
    world = World().sent()
    assert isinstance(world.cancel(), Wait)
    assert isinstance(world.replace("5"), Wait)
    assert isinstance(world.resolve(Fate.NOT_SENT), Wait)


def test_an_unknown_order_is_not_cancelled_nor_replaced_but_settled() -> None:
    world = World().sent(S.UNKNOWN)
    assert "order resolve" in refused(world.cancel())
    assert "is unknown" in refused(world.replace("5"))
    assert isinstance(world.resolve(Fate.NOT_SENT), Settle)
    assert isinstance(world.resolve(Fate.FILLED, "10", "100"), Settle)
    assert isinstance(world.resolve(Fate.EXPIRED, "3", "100"), Settle)
    assert "means all 10 shares" in refused(world.resolve(Fate.FILLED, "9", "100"))
    assert "is filled" in refused(world.resolve(Fate.CANCELLED, "10", "100"))


def test_an_accepted_order_is_settled_after_the_broker_was_asked_and_not_as_never_sent() -> None:
    unknown = World().sent(S.UNKNOWN).resolve(Fate.CANCELLED)
    assert isinstance(unknown, Settle)
    assert not unknown.is_accepted
    world = World().sent(S.PARTIALLY_FILLED, total="3")
    task = world.resolve(Fate.CANCELLED, "3", "100")
    assert isinstance(task, Settle)
    assert task.is_accepted
    assert "was sent" in refused(world.resolve(Fate.NOT_SENT))
    assert "3 shares are recorded as filled" in refused(world.resolve(Fate.REJECTED))


def test_what_is_over_is_refused_with_its_status() -> None:
    world = World().sent(S.ACCEPTED, S.FILLED, total="10")
    assert "filled already, with 10 of 10" in refused(world.cancel())
    assert "is executed" in refused(world.replace("5"))
    assert "only what is unknown" in refused(world.resolve(Fate.NOT_SENT))


def test_an_order_that_was_cancelled_before_a_restart_is_answered_as_cancelled() -> None:
    world = World()
    world.sent(S.ACCEPTED, S.CANCELLED, failure=FailureReason.OPERATOR_CANCELLED)
    assert world.decision.status is DecisionStatus.CANCELLED
    assert isinstance(world.cancel(), Cancelled)


def test_what_the_broker_cancelled_is_refused() -> None:
    world = World().sent(S.ACCEPTED, S.CANCELLED)
    assert "cancelled already" in refused(world.cancel())


def test_only_what_changes_an_order_replaces_it() -> None:
    world = World().sent(S.ACCEPTED)
    task = world.replace("5", "99")
    assert isinstance(task, Replace)
    assert task.wanted == Replacement(Decimal(5), Decimal(99))
    assert "nothing would change" in refused(world.replace("10", "100"))
    assert "no limit" in refused(World(limit=None).sent(S.ACCEPTED).replace(None, "99"))
    assert "is pending" in refused(World().replace("5"))


def test_a_replacement_that_was_begun_is_not_begun_again() -> None:
    world = World().sent(S.ACCEPTED)
    act = world.act(OperatorAct.REPLACE_ORDER, **replacement_arguments(replacement("5", None)))
    intent: OrderSubmitting = replace(
        intent_of(world.decision),
        method="PATCH",
        endpoint=f"/v2/orders/{BROKER_ID}",
        previous_execution_id=world.intent.execution_id,
        cause=at(world.offset, act.event_id),
    )
    world.fold(intent)
    task = judge(act, world.book)
    assert isinstance(task, Replacing)
    assert (task.execution.attempt_number, task.execution.replaces) == (2, BROKER_ID)


def test_an_act_on_nothing_or_under_the_wrong_symbol_is_refused() -> None:
    world = World()
    assert "is over, or never was" in refused(world.cancel("no-such-id"))
    stray = replace(world.act(OperatorAct.CANCEL_ORDER), symbol="SPLT")
    assert "about ACME" in refused(judge(stray, world.book))
    broken = replace(world.act(OperatorAct.REPLACE_ORDER), arguments="{")
    assert "no JSON" in refused(judge(broken, World().sent(S.ACCEPTED).book))
