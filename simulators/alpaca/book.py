"""The account's book: cash, positions, orders and fills.

Invariants: cash is the starting cash plus the cash change of every fill; what is reserved is the sum over open
orders; every order and fill ever made stays. Amounts in dollars, quantities in shares, both exact.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter

from simulators.alpaca.orders import ZERO, Fill, Order


@dataclass(slots=True)
class Position:
    """What the account holds of one symbol; a negative quantity is short. ``cost`` has the sign of ``qty``."""

    qty: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def average_price(self) -> Decimal:
        """Return the average entry price a share."""
        return self.cost / self.qty if self.qty else ZERO

    def trade(self, qty: Decimal, price: Decimal) -> None:
        """Add a signed quantity at a price; what closes a part keeps the average of the rest."""
        if self.qty and (qty > 0) != (self.qty > 0):
            left = self.qty + qty
            self.cost = self.cost * left / self.qty if left else ZERO
        else:
            self.cost += qty * price
        self.qty += qty


@dataclass(frozen=True, slots=True)
class Split:
    """A split applied to the position at a session's start."""

    session_on: date
    symbol: str
    factor: Decimal
    qty_before: Decimal
    qty_after: Decimal


@dataclass(slots=True)
class Book:
    """All the account has and ever did."""

    starting_cash: Decimal
    cash: Decimal
    multiplier: int = 1
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    order_by_client_id: dict[str, Order] = field(default_factory=dict)
    open_orders: dict[str, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    equity_by_session: dict[date, Decimal] = field(default_factory=dict)
    # How often an id came again that an order has already; what never reached the book is not among them.
    refused_duplicates: Counter[str] = field(default_factory=Counter)
    _open_by_symbol: dict[str, dict[str, Order]] = field(
        default_factory=lambda: defaultdict(dict[str, Order])
    )
    _reserved_by_order: dict[str, Decimal] = field(default_factory=dict)
    reserved: Decimal = ZERO

    def add(self, order: Order) -> None:
        """Take a new order in; its client_order_id is used up from here on."""
        self.orders[order.id] = order
        self.order_by_client_id[order.client_order_id] = order
        self.track(order)

    def track(self, order: Order) -> None:
        """Bring the open orders and the reservation up to date with what became of ``order``."""
        before = self._reserved_by_order.pop(order.id, ZERO)
        if order.is_open:
            self.open_orders[order.id] = order
            self._open_by_symbol[order.symbol][order.id] = order
            self._reserved_by_order[order.id] = order.reserved
        else:
            self.open_orders.pop(order.id, None)
            self._open_by_symbol[order.symbol].pop(order.id, None)
        self.reserved += order.reserved - before

    def open_orders_by_age(self) -> list[Order]:
        """Return all open orders, oldest first."""
        return sorted(self.open_orders.values(), key=attrgetter("created_ns"))

    def open_orders_of(self, symbol: str) -> list[Order]:
        """Return the symbol's open orders, oldest first."""
        return sorted(self._open_by_symbol[symbol].values(), key=attrgetter("created_ns"))

    def position_qty(self, symbol: str) -> Decimal:
        """Return the shares held (negative: short)."""
        position = self.positions.get(symbol)
        return position.qty if position else ZERO

    def held_qty(self, symbol: str) -> Decimal:
        """Return the shares that open sells hold back."""
        return sum((o.held_qty for o in self._open_by_symbol[symbol].values()), ZERO)

    def endow(self, positions: Mapping[str, tuple[Decimal, Decimal]]) -> None:
        """Give an unused account positions: symbol to (quantity, average entry price)."""
        for symbol, (qty, price) in positions.items():
            self.positions[symbol] = Position(qty, qty * price)

    def apply_fill(self, fill: Fill) -> None:
        """Book an execution: cash, position, list of fills."""
        self.cash += fill.cash_change
        position = self.positions.setdefault(fill.symbol, Position())
        position.trade(fill.qty if fill.side == "buy" else -fill.qty, fill.price)
        if not position.qty:
            del self.positions[fill.symbol]
        self.fills.append(fill)

    def apply_split(self, session_on: date, symbol: str, factor: Decimal) -> None:
        """Multiply a position by a split's factor; its cost stays, so its average price divides."""
        position = self.positions[symbol]
        before = position.qty
        position.qty = before * factor
        self.splits.append(Split(session_on, symbol, factor, before, position.qty))
