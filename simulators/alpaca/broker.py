"""The broker: takes orders, moves through sessions, fills by the fixed rule, tells every change.

Every step is a plain call on one thread. The simulated instant moves forward only; what lies between the old
and the new instant happens in order: each session's open, then its close, oldest orders first within each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal

from simulators.alpaca import checks, matching, pending, refusals
from simulators.alpaca.admission import new_order, order_id
from simulators.alpaca.amounts import QTY_STEP
from simulators.alpaca.book import Book
from simulators.alpaca.corporate import apply_splits
from simulators.alpaca.instants import to_datetime, to_ns
from simulators.alpaca.interference import Interference
from simulators.alpaca.market import Market
from simulators.alpaca.moments import moments_between
from simulators.alpaca.orders import TERMINAL, Change, Fill, Order, OrderRequest
from simulators.alpaca.ports import World
from tradetrail.ids import derive_id

# Told of every change: the order as it now is, the event's name, its instant, the execution if it is one.
Listener = Callable[[Order, str, int, Fill | None], None]


class Broker:
    """One account at a simulated broker."""

    def __init__(self, world: World, now: datetime, cash: Decimal, *, multiplier: int = 1) -> None:
        """Open an account with ``cash`` dollars at the simulated instant ``now``."""
        self.now_ns = to_ns(now)
        self.created_ns = self.now_ns
        self._last_stamp_ns = self.now_ns - 1
        self.market = Market(world, self.now_ns)
        self.book = Book(starting_cash=cash, cash=cash, multiplier=multiplier)
        self.rules = checks.AccountRules(shorting_enabled=multiplier > 1)
        self.interference = Interference()
        self.listeners: list[Listener] = []

    # What clients ask for

    def check_client_order_id(self, client_order_id: str | None) -> None:
        """Refuse a client_order_id that any order ever had."""
        if client_order_id is not None and client_order_id in self.book.order_by_client_id:
            self.book.refused_duplicates[client_order_id] += 1
            raise refusals.duplicate_client_order_id()

    def submit(self, request: OrderRequest) -> Order:
        """Take an order in, pending; ``route`` lets it act. Raises Refused."""
        self.check_client_order_id(request.client_order_id)
        checks.check_account(self.rules)
        checks.check_asset(request, self.rules, self.market)
        checks.check_auction_windows(request, self.now_ns)
        checks.check_wash_trade(request, self.book)
        reserved_price = checks.reservation(request, self.rules, self.book, self.market)
        return self.admit(request, reserved_price)

    def route(self, order: Order) -> None:
        """Let a new order act: trade now while its session runs, else wait for the next open."""
        if self.market.open_session is not None and order.time_in_force != "opg":
            self._act_at_open(order, self.market.open_session)

    def cancel(self, order: Order) -> None:
        """Cancel an order. Raises Refused when it is done or already asked to be."""
        checks.check_cancelable(order)
        hanging = self.interference.stall("pending_cancel", order)
        if hanging is None:
            self.finish(order, "canceled", "canceled")
        else:
            pending.hang_cancel(self, order, hanging)

    def replace(self, old: Order, request: OrderRequest) -> Order:
        """Replace an order by a new one, pending; ``route`` lets it act. Raises Refused."""
        checks.check_replaceable(old)
        self.check_client_order_id(request.client_order_id)
        if request.client_order_id is None:
            new_id = str(derive_id("simulated-replacement", old.id))
            request = dataclasses.replace(request, client_order_id=new_id)
        with self.without(old):
            checks.check_wash_trade(request, self.book)
            reserved_price = checks.reservation(request, self.rules, self.book, self.market)
        hanging = self.interference.stall("pending_replace", old)
        if hanging is not None:
            return pending.hang_replace(self, old, hanging, request, reserved_price)
        return self.swap(old, request, reserved_price)

    @contextmanager
    def without(self, order: Order) -> Iterator[None]:
        """Give back for the block what an open order holds: for the checks of the one that is to replace it."""
        status, order.status = order.status, "replaced"
        self.book.track(order)
        try:
            yield
        finally:
            order.status = status
            self.book.track(order)

    # Time

    def move_to(self, now: datetime) -> None:
        """Move to a later instant, doing all that happens on the way. Raises ValueError for an earlier one."""
        target_ns = to_ns(now)
        if target_ns < self.now_ns:
            raise ValueError(f"the simulated clock is at {to_datetime(self.now_ns)}: no way back")
        for at, session_on, is_open in moments_between(to_datetime(self.now_ns), now):
            self._stand_at(to_ns(at))
            if is_open:
                self._open(session_on)
            else:
                self._close(session_on)
        self._stand_at(target_ns)

    def _stand_at(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.market.move_to(now_ns)

    def _open(self, session_on: date) -> None:
        apply_splits(self, session_on)
        for order in self.book.open_orders_by_age():
            if order.is_open and not order.is_held_back:
                self._act_at_open(order, session_on)

    def _close(self, session_on: date) -> None:
        for order in self.book.open_orders_by_age():
            if order.is_open:
                self._act_at_close(order, session_on)
        self.book.equity_by_session[session_on] = checks.equity(self.book, self.market)

    # What becomes of an order

    def _act_at_open(self, order: Order, session_on: date) -> None:
        bar = self.market.session_bar(order.symbol, session_on)
        if bar is None or order.pending is not None or order.is_waiting:
            return
        if not order.is_routed:
            order.is_routed = True
            if self.interference.reject(order):
                self.finish(order, "rejected", "rejected", reason="rejected by the venue")
                return
            self.change(order, "new", "new")
        elif order.status == "done_for_day":
            self.change(order, "new", "partially_filled" if order.filled_qty else "new")
        if self.interference.end_for_the_day(order):
            order.is_held_back = True
            self.change(order, "done_for_day", "done_for_day")
        if order.time_in_force == "cls" or order.is_held_back:
            return
        price = matching.price_now(order, bar.open)
        if price is not None:
            self.execute(order, price, session_on)
        if order.is_open and order.time_in_force in ("opg", "ioc", "fok"):
            self.finish(order, "canceled", "canceled")

    def _act_at_close(self, order: Order, session_on: date) -> None:
        bar = self.market.session_bar(order.symbol, session_on)
        if order.is_waiting:
            return
        pending.settle(self, order)
        is_live = order.is_open and order.is_routed and not order.is_held_back
        if bar is not None and is_live:
            rule = (
                matching.price_at_close if order.time_in_force == "cls" else matching.price_in_range
            )
            price = rule(order, bar)
            if price is not None:
                self.execute(order, price, session_on)
        if not order.is_open:
            return
        if order.time_in_force == "cls":
            self.finish(order, "canceled", "canceled")
        elif order.time_in_force != "gtc" or (order.expires_ns or self.now_ns) <= self.now_ns:
            self.finish(order, "expired", "expired")
        order.is_held_back = False

    def execute(self, order: Order, price: Decimal, session_on: date) -> None:
        """Fill an order at a price, in parts if so armed, or reject what can't be paid or delivered."""
        qty = order.leaves_qty
        if order.notional is not None:
            qty = (order.notional / price).quantize(QTY_STEP, rounding=ROUND_DOWN)
        if not checks.can_settle(order, qty, price, self.rules, self.book, self.market):
            self.finish(order, "rejected", "rejected", reason="insufficient buying power or shares")
            return
        total = order.filled_qty + qty
        plan = self.interference.partial_fills(order, qty)
        for part in plan.parts:
            self._fill(order, part, price, session_on, total)
        if plan.rest == "hold":
            order.is_held_back = True
        elif plan.rest == "cancel":
            self.finish(order, "canceled", "canceled")
        else:
            self._fill(order, total - order.filled_qty, price, session_on, total)

    def _fill(
        self, order: Order, qty: Decimal, price: Decimal, session_on: date, total: Decimal
    ) -> None:
        at_ns = self._stamp()
        order.filled_qty += qty
        order.filled_cost += qty * price
        is_last = order.filled_qty == total
        signed = qty if order.side == "buy" else -qty
        fill = Fill(
            sequence=len(self.book.fills),
            execution_id=str(derive_id("simulated-execution", order.id, order.filled_qty)),
            order_id=order.id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            qty=qty,
            price=price,
            cum_qty=order.filled_qty,
            leaves_qty=total - order.filled_qty,
            position_qty=self.book.position_qty(order.symbol) + signed,
            session_on=session_on,
            at_ns=at_ns,
        )
        self.book.apply_fill(fill)
        if is_last:
            order.filled_ns = at_ns
        event, status = ("fill", "filled") if is_last else ("partial_fill", "partially_filled")
        self.change(order, event, status, at_ns=at_ns, fill=fill)

    def finish(self, order: Order, event: str, status: str, reason: str | None = None) -> None:
        """End an order; a replacement that waits for it can't take its place any more."""
        hanging, order.pending = order.pending, None
        at_ns = self._stamp()
        if status == "canceled":
            order.canceled_ns = at_ns
        elif status == "expired":
            order.expired_ns = at_ns
        elif status == "rejected":
            order.failed_ns = at_ns
        elif status == "replaced":
            order.replaced_ns = at_ns
        self.change(order, event, status, at_ns=at_ns, reason=reason)
        if hanging is not None and hanging.replacement is not None:
            pending.drop(self, hanging.replacement[0])

    def change(
        self,
        order: Order,
        event: str,
        status: str,
        *,
        at_ns: int | None = None,
        fill: Fill | None = None,
        reason: str | None = None,
    ) -> None:
        """Bring an order to a status and tell it. Raises ValueError when it is over."""
        if order.status in TERMINAL:
            raise ValueError(f"order {order.id} is {order.status} and can't become {status}")
        at_ns = self._stamp() if at_ns is None else at_ns
        order.status = status
        order.updated_ns = at_ns
        order.changes.append(Change(at_ns, event, status, order.filled_qty, reason))
        self.book.track(order)
        for listener in self.listeners:
            listener(order, event, at_ns, fill)

    # Births of orders

    def admit(
        self,
        request: OrderRequest,
        reserved_price: Decimal,
        replaces: str | None = None,
        *,
        is_waiting: bool = False,
    ) -> Order:
        """Make an order; one that waits holds nothing and trades nothing yet."""
        at_ns = self._stamp()
        is_live = self.market.open_session is not None and request.time_in_force != "opg"
        status = "pending_new" if is_live else "accepted"
        order = new_order(request, at_ns, status, sequence=len(self.book.orders))
        order.reserved_price = reserved_price
        order.replaces, order.is_waiting = replaces, is_waiting
        self.book.add(order)
        self.change(order, status, status, at_ns=at_ns)
        return order

    def swap(self, old: Order, request: OrderRequest, reserved_price: Decimal) -> Order:
        """Put a new order in the place of an old one."""
        old.replaced_by = str(order_id(str(request.client_order_id)))
        self.finish(old, "replaced", "replaced")
        return self.admit(request, reserved_price, replaces=old.id)

    def _stamp(self) -> int:
        # Orders of one instant stay distinct; cut to microseconds all runs give equal times.
        self._last_stamp_ns = max(self._last_stamp_ns + 1, self.now_ns)
        return self._last_stamp_ns
