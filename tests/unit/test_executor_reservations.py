"""What orders hold of the account's limits: never negative, nothing left over, never too much in any interleaving."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.executor.controls import (
    Account,
    Facts,
    LastPrice,
    Question,
    check_all,
    check_batch,
    first_failed,
)
from services.executor.settings import ExecutorSettings
from services.executor.state.book import Book, Decision, next_actions
from services.executor.state.halts import Halts
from services.executor.state.reservations import Look, Reservations
from tests.integration.executor.harness import decision_made
from tests.unit.executor_events import EVENTS, NOW, at, intent_of, update_of
from tradetrail.events import Event
from tradetrail.events.generated import (
    Cause,
    Control,
    FailureReason,
    OrderStatus,
    OrderSubmitting,
    RiskCheck,
    Side,
)

S, D = OrderStatus, Decimal
BUY, SELL = Side.BUY, Side.SELL
PRICE = D(10)
LIMITS = ExecutorSettings(
    position_usd_max=D(100),
    daily_notional_usd_max=D(400),
    daily_order_count_max=12,
    order_rate_max=1000,
    duplicate_window_s=0,
)


def _value(usd: Decimal) -> RiskCheck:
    return RiskCheck(
        control=Control.ORDER_NOTIONAL,
        passed=True,
        limit=None,
        observed=usd,
        unit="USD",
        explanation="",
    )


def _intent(decision: Decision, checks: tuple[RiskCheck, ...] | None = None) -> OrderSubmitting:
    """Return the intent of an order that was checked at 10 dollars a share."""
    checks = (_value(decision.quantity * PRICE),) if checks is None else checks
    return replace(intent_of(decision), risk_checks=checks)


@dataclass
class Small:
    """A book with a few orders in it, and short words for what becomes of them."""

    book: Book = field(default_factory=Book)
    intents: dict[str, OrderSubmitting] = field(default_factory=dict)
    filled: dict[str, Decimal] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    @property
    def reserved(self) -> Reservations:
        """Return the reservations of the book."""
        return self.book.reserved

    def decide(self, name: str, symbol: str = "ACME", **changes: Any) -> Decision:
        """Put a decision into the book."""
        made = decision_made(name, symbol, **{"price": "10", **changes})
        self._fold(made, at(len(self.book.decisions), made.event_id))
        return self.book.decisions[made.decision_id]

    def begin(self, name: str, symbol: str = "ACME", **changes: Any) -> None:
        """Put a decision and its intent into the book."""
        self.submit(name, _intent(self.decide(name, symbol, **changes)))

    def submit(self, name: str, intent: OrderSubmitting) -> None:
        """Put an intent into the book."""
        self.intents[name], self.filled[name] = intent, D(0)
        self._fold(intent, at(1000 + len(self.intents), intent.event_id))

    def becomes(
        self,
        name: str,
        status: OrderStatus,
        total: Decimal | str | None = None,
        *,
        sent: bool = True,
    ) -> None:
        """Say what became of an order, and its filled total where that grew."""
        before = self.filled[name]
        self.filled[name] = before if total is None else D(total)
        event = update_of(
            self.intents[name],
            status,
            str(self.filled[name]),
            fill=str(self.filled[name] - before),
            failure=None if sent else FailureReason.NOT_SENT,
        )
        self._fold(event, at(5000, event.event_id))

    def _fold(self, event: Event, place: Cause) -> None:
        self.events.append(event)
        self.book.fold(event, place)

    def used(self) -> tuple[int, Decimal]:
        """Return the count and value that the day has used."""
        use = self.reserved.day_use(NOW)
        return use.order_count, use.notional_usd


@pytest.mark.parametrize(
    ("end", "total", "sent", "count", "notional"),
    [
        (S.FILLED, "10", True, 1, "100"),
        (S.CANCELLED, "3", True, 1, "30"),
        (S.EXPIRED, None, True, 1, "0"),
        (S.REJECTED, None, True, 1, "0"),
        (S.ERROR, None, True, 1, "0"),
        (S.ERROR, None, False, 0, "0"),
    ],
    ids=["filled", "cancelled with a part", "expired", "rejected", "error", "never sent"],
)
def test_a_day_gets_back_what_was_not_filled_and_the_place_of_what_was_not_sent(
    end: OrderStatus, total: str | None, sent: bool, count: int, notional: str
) -> None:
    small = Small()
    small.begin("a")
    assert small.used() == (1, D(100))
    small.becomes("a", end, total, sent=sent)
    assert small.used() == (count, D(notional))
    assert not list(small.reserved.open())


def test_a_partial_fill_shrinks_what_is_reserved_and_keeps_what_is_used() -> None:
    small = Small()
    small.begin("a", quantity="3")
    (reservation,) = small.reserved.open()
    assert reservation.remaining_usd == D(30)
    small.becomes("a", S.PARTIALLY_FILLED, "1")
    assert reservation.remaining_usd == D(20)
    assert small.used() == (1, D(30))


def test_parts_of_a_cent_never_add_up_to_more_than_the_whole() -> None:
    small = Small()
    decision = small.decide("a", quantity="3")
    small.submit("a", _intent(decision, (_value(D("0.05")),)))
    small.becomes("a", S.PARTIALLY_FILLED, "1")
    small.becomes("a", S.CANCELLED, "2")
    (kept,) = {small.used()[1]}
    assert D(0) < kept <= D("0.05")


def test_buying_power_lacks_only_what_its_picture_can_not_show() -> None:
    small = Small()
    reserved = small.reserved
    small.begin("before")
    small.becomes("before", S.ACCEPTED)
    small.begin("during", "SPLT")
    look = reserved.look()
    small.begin("after", "HOLE")

    def missing() -> dict[str, Decimal]:
        return {each.symbol: each.kept_usd for each in reserved.not_in_buying_power(look)}

    assert missing() == {"SPLT": D(100), "HOLE": D(100)}
    # Answered, filled or refused since: the picture is as old as it was.
    small.becomes("during", S.ACCEPTED)
    small.becomes("after", S.PARTIALLY_FILLED, "4")
    assert missing() == {"SPLT": D(100), "HOLE": D(100)}
    small.becomes("after", S.CANCELLED)
    small.becomes("during", S.REJECTED)
    assert missing() == {"SPLT": D(0), "HOLE": D(40)}
    look = reserved.look()
    assert missing() == {}


def test_a_position_lacks_what_is_open_and_what_was_filled_since() -> None:
    small = Small()
    small.begin("a")
    small.becomes("a", S.PARTIALLY_FILLED, "2")
    look = small.reserved.look()
    (reservation,) = small.reserved.not_in_position("ACME", BUY, look)
    assert reservation.unseen_qty(look) == D(8)
    small.becomes("a", S.PARTIALLY_FILLED, "5")
    assert reservation.unseen_qty(look) == D(8)
    small.becomes("a", S.CANCELLED, "6")
    (reservation,) = small.reserved.not_in_position("ACME", BUY, look)
    assert (reservation.unseen_qty(look), reservation.unseen_usd(look)) == (D(4), D(40))
    assert not list(small.reserved.not_in_position("ACME", SELL, look))
    assert not list(small.reserved.not_in_position("ACME", BUY, small.reserved.look()))


def test_what_ended_is_forgotten_with_the_last_picture_that_lacks_it() -> None:
    small = Small()
    old = small.reserved.look()
    small.begin("a")
    small.becomes("a", S.FILLED, "10")
    new = small.reserved.look()
    assert len(list(small.reserved.not_in_buying_power(old))) == 1
    assert not list(small.reserved.not_in_buying_power(new))
    del old
    small.reserved.look()
    assert not small.reserved._lately


def test_orders_are_counted_by_their_instants_in_whatever_order_they_are_read() -> None:
    small = Small()
    for name, symbol, ago_s in (("a", "ACME", 0), ("b", "SPLT", 59), ("c", "HOLE", 4000)):
        at_that_time = NOW - timedelta(seconds=ago_s)
        small.submit(name, replace(_intent(small.decide(name, symbol)), occurred_at=at_that_time))
    assert small.reserved.begun_within(NOW, 60) == 2
    assert small.reserved.begun_within(NOW, 59) == 1


def _verdicts(small: Small, look: Look, power: str, *names: str, **limits: Any) -> list[str]:
    """Return what the controls say of pending decisions, in this order: go, the control that blocks, or waits."""
    decisions = [small.book.decisions[decision_made(name).decision_id] for name in names]
    prices = {each.symbol: LastPrice(PRICE, NOW) for each in decisions}
    account = Account(D(power), {}, look)
    configured = ExecutorSettings(duplicate_window_s=0, **limits)
    facts = Facts(account, prices, small.book, Halts(), configured, NOW)
    said = []
    for verdict in check_batch(decisions, facts):
        if verdict.waits_for is not None:
            said.append(f"waits {verdict.waits_for.control}")
        else:
            said.append(str(verdict.blocked_by.control) if verdict.blocked_by else "go")
    return said


def test_a_batch_sees_what_goes_before_and_what_waits_keeps_its_place() -> None:
    small = Small()
    for name, symbol, shares in (("a", "ACME", "10"), ("b", "SPLT", "6"), ("c", "HOLE", "1")):
        small.decide(name, symbol, quantity=shares)
    look = small.reserved.look()
    assert _verdicts(small, look, "150", "a", "b", "c") == [
        "go",
        "waits buying_power",
        "waits buying_power",
    ]
    assert _verdicts(small, look, "150", "b", "c", "a") == ["go", "go", "waits buying_power"]
    assert _verdicts(small, look, "59", "b", "c") == ["buying_power", "go"]
    assert _verdicts(small, look, "999", "a", "b", order_rate_max=1) == ["go", "order_rate"]
    daily = {"daily_notional_usd_max": 100}
    assert _verdicts(small, look, "999", "a", "c", **daily) == ["go", "waits daily_notional"]
    assert _verdicts(small, look, "999", "a", "c", daily_order_count_max=1) == [
        "go",
        "waits daily_order_count",
    ]


def test_what_fails_by_orders_under_way_waits_until_they_are_known_and_then_blocks() -> None:
    small = Small()
    small.begin("a", limit_price="10")
    small.decide("b", "SPLT", quantity="6")
    daily = {"daily_notional_usd_max": 150}
    look = small.reserved.look()
    assert _verdicts(small, look, "150", "b") == ["waits buying_power"]
    assert _verdicts(small, look, "999", "b", **daily) == ["waits daily_notional"]
    moment = small.reserved.moment
    small.becomes("a", S.ACCEPTED)
    assert small.reserved.moment > moment
    # The broker's next figure holds it, and a resting order is no longer under way.
    look = small.reserved.look()
    assert _verdicts(small, look, "50", "b") == ["buying_power"]
    assert _verdicts(small, look, "999", "b", **daily) == ["daily_notional"]
    small.becomes("a", S.CANCELLED)
    assert _verdicts(small, small.reserved.look(), "150", "b", **daily) == ["go"]


def test_a_position_counts_what_is_open_in_its_symbol() -> None:
    small = Small()
    small.begin("a", limit_price="10")
    small.begin("other", "SPLT")
    small.becomes("a", S.ACCEPTED)
    small.decide("b", quantity="5")
    look = small.reserved.look()
    assert _verdicts(small, look, "999", "b", position_usd_max="149.99") == ["position_limit"]
    assert _verdicts(small, look, "999", "b", position_usd_max=150) == ["go"]
    small.becomes("a", S.PARTIALLY_FILLED, "4")
    # Filled since the broker was asked: its picture may or may not show that.
    assert _verdicts(small, look, "999", "b", position_usd_max=149) == ["waits position_limit"]


def test_a_sell_counts_the_shares_of_open_sells() -> None:
    small = Small()
    small.begin("a", side=SELL, limit_price="10")
    small.becomes("a", S.ACCEPTED)
    small.decide("b", side=SELL, quantity="1")
    look = small.reserved.look()
    decision = small.book.decisions[decision_made("b").decision_id]
    for held, passes in (("11", True), ("10.999999999", False)):
        account = Account(D(0), {"ACME": D(held)}, look)
        facts = Facts(account, {"ACME": LastPrice(PRICE, NOW)}, small.book, Halts(), LIMITS, NOW)
        (verdict,) = check_batch([decision], facts)
        assert verdict.may_go is passes
        assert verdict.waits_for is None


def test_a_replacement_does_not_count_what_it_replaces() -> None:
    small = Small()
    small.begin("a", limit_price="10")
    small.becomes("a", S.ACCEPTED)
    small.decide("b", limit_price="10")
    decision = small.book.decisions[decision_made("b").decision_id]
    account = Account(D(999), {}, small.reserved.look())
    limits = ExecutorSettings(position_usd_max=D(100), duplicate_window_s=0)
    facts = Facts(account, {"ACME": LastPrice(PRICE, NOW)}, small.book, Halts(), limits, NOW)
    assert first_failed(check_all(Question(decision, facts))) is not None
    replaces = small.intents["a"].execution_id
    assert first_failed(check_all(Question(decision, facts, replaces=replaces))) is None


def test_a_restart_and_a_takeover_know_the_same() -> None:
    small = Small()
    small.begin("a")
    small.becomes("a", S.PARTIALLY_FILLED, "4")
    small.begin("b", "SPLT")
    small.becomes("b", S.CANCELLED, "1")
    again = Book()
    for offset, event in enumerate(small.events):
        again.fold(event, at(offset, event.event_id))
    assert again.reserved.day_use(NOW) == small.reserved.day_use(NOW)
    assert again.reserved.begun_within(NOW, 60) == 2
    assert [e.remaining_usd for e in again.reserved.open()] == [D(60)]
    # A picture asked for after the restart shows all that is answered.
    assert not list(again.reserved.not_in_buying_power(again.reserved.look()))


@dataclass
class Placed:
    """An order on its way to the broker, or at it; every share costs 10 dollars."""

    name: str
    symbol: str
    side: Side
    quantity: Decimal
    has_arrived: bool = False
    is_over: bool = False
    filled: Decimal = Decimal(0)

    @property
    def open_qty(self) -> Decimal:
        """Return the shares that may still be traded."""
        return D(0) if self.is_over else self.quantity - self.filled


CASH = D(150)
SYMBOLS = ("ACME", "SPLT", "HOLE")
HAPPENINGS = ("arrive", "refuse", "not_send", "fill", "cancel", "lose", "learn", "learn")


class Trading(RuleBasedStateMachine):
    """A book that learns late, a broker that acts in between, and batches at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.small = Small()
        self.placed: dict[str, Placed] = {}
        self.positions = dict.fromkeys(SYMBOLS, D(0)) | {"HOLE": D(6)}
        self.cash = CASH
        self.asked: Any = None
        self.told: Account | None = None
        self.sent = 0

    # The account's truth, known to nobody but the broker.

    def buying_power(self, *, with_orders_under_way: bool) -> Decimal:
        return self.cash - sum(
            each.open_qty * PRICE
            for each in self.placed.values()
            if each.side is BUY and (each.has_arrived or with_orders_under_way)
        )

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        side=st.sampled_from([BUY, BUY, SELL]),
        quantity=st.integers(1, 11),
        is_limit=st.booleans(),
    )
    def decide(self, symbol: str, side: Side, quantity: int, is_limit: bool) -> None:
        self.small.decide(
            f"d{len(self.small.book.decisions)}",
            symbol,
            side=side,
            quantity=str(quantity),
            limit_price="10" if is_limit else None,
        )

    @rule(is_told_at_once=st.booleans())
    def ask(self, is_told_at_once: bool) -> None:
        self.asked = self.small.reserved.look()
        if is_told_at_once:
            self.tell()

    @precondition(lambda self: self.asked)
    @rule()
    def tell(self) -> None:
        power = self.buying_power(with_orders_under_way=False)
        self.told = Account(power, dict(self.positions), self.asked)

    @precondition(lambda self: self.told and self.small.book.waiting)
    @rule(count=st.integers(1, 3))
    def send(self, count: int) -> None:
        assert self.told is not None
        book = self.small.book
        prices = {symbol: LastPrice(PRICE, NOW) for symbol in SYMBOLS}
        facts = Facts(self.told, prices, book, Halts(), LIMITS, NOW)
        batch = next_actions(book, NOW, market_is_open=True)[:count]
        for verdict in list(check_batch(batch, facts)):
            decision = verdict.decision
            if verdict.blocked_by is not None:
                failed = EVENTS.blocked(decision, verdict.blocked_by, verdict.checks, NOW)
                book.fold(failed, at(9000, failed.event_id))
            elif verdict.may_go:
                name, quantity = decision.decision_id, decision.quantity
                self.small.submit(name, _intent(decision, verdict.checks))
                self.placed[name] = Placed(name, decision.symbol, decision.side, quantity)
                self.sent += 1

    @precondition(lambda self: self.placed)
    @rule(
        index=st.integers(0, 9),
        happenings=st.lists(st.sampled_from(HAPPENINGS), min_size=1, max_size=4),
        quantity=st.integers(1, 11),
    )
    def go_on(self, index: int, happenings: list[str], quantity: int) -> None:
        """Let an order go its way, and the book learn of it or not."""
        order = list(self.placed.values())[index % len(self.placed)]
        for happening in happenings:
            if order.name in self.placed:
                getattr(self, f"_{happening}")(order, D(quantity))

    def _arrive(self, order: Placed, _: Decimal) -> None:
        order.has_arrived = True

    def _refuse(self, order: Placed, _: Decimal) -> None:
        if not order.has_arrived:
            order.has_arrived = order.is_over = True

    def _not_send(self, order: Placed, _: Decimal) -> None:
        if not order.has_arrived:
            self.small.becomes(order.name, S.ERROR, sent=False)
            del self.placed[order.name]
            self.sent -= 1

    def _fill(self, order: Placed, quantity: Decimal) -> None:
        if order.has_arrived:
            shares = min(quantity, order.open_qty)
            sign = 1 if order.side is BUY else -1
            order.filled += shares
            self.positions[order.symbol] += sign * shares
            self.cash -= sign * shares * PRICE
            order.is_over = order.is_over or order.filled == order.quantity

    def _cancel(self, order: Placed, _: Decimal) -> None:
        order.is_over = order.is_over or order.has_arrived

    def _lose(self, order: Placed, _: Decimal) -> None:
        execution = self.small.book.executions[self.small.intents[order.name].execution_id]
        if order.has_arrived and execution.status is S.SUBMITTING:
            self.small.becomes(order.name, S.UNKNOWN)

    def _learn(self, order: Placed, _: Decimal) -> None:
        if not order.has_arrived:
            return
        status = S.PARTIALLY_FILLED if order.filled else S.ACCEPTED
        if order.is_over:
            status = S.CANCELLED if order.filled else S.REJECTED
            if order.filled == order.quantity:
                status = S.FILLED
        self.small.becomes(order.name, status, order.filled)
        if order.is_over:
            del self.placed[order.name]

    @invariant()
    def the_account_is_within_its_limits(self) -> None:
        assert self.buying_power(with_orders_under_way=True) >= 0
        for symbol in SYMBOLS:
            orders = [each for each in self.placed.values() if each.symbol == symbol]
            bought = sum(each.open_qty for each in orders if each.side is BUY)
            sold = sum(each.open_qty for each in orders if each.side is SELL)
            assert (self.positions[symbol] + bought) * PRICE <= LIMITS.position_usd_max
            assert self.positions[symbol] >= sold

    @invariant()
    def a_day_is_within_its_limits(self) -> None:
        count, notional = self.small.used()
        assert self.sent == count <= LIMITS.daily_order_count_max
        filled = sum(self.small.filled.values(), D(0)) * PRICE
        assert filled <= notional <= LIMITS.daily_notional_usd_max

    @invariant()
    def nothing_reserved_is_negative(self) -> None:
        reserved = self.small.reserved
        look = self.told.look if self.told else reserved.look()
        for each in reserved.open():
            assert 0 <= each.remaining_usd <= each.value_usd
            assert 0 <= each.unseen_usd(look) <= each.value_usd
        for each in reserved.not_in_buying_power(look):
            assert 0 <= each.kept_usd <= each.value_usd

    def teardown(self) -> None:
        """End everything: then nothing is held, and the day has used what was filled."""
        for order in list(self.placed.values()):
            if not order.has_arrived:
                self.small.becomes(order.name, S.ERROR, sent=False)
            elif order.filled == order.quantity:
                self.small.becomes(order.name, S.FILLED, order.filled)
            else:
                self.small.becomes(order.name, S.EXPIRED, order.filled)
        reserved = self.small.reserved
        assert not list(reserved.open())
        assert not list(reserved.unsettled())
        assert not list(reserved.not_in_buying_power(reserved.look()))
        assert self.small.used()[1] == sum(self.small.filled.values(), D(0)) * PRICE


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
