"""An order, its life, and the fills it had."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

Then = Literal["done", "filled", "rejected"]
TERMINAL = frozenset({"filled", "canceled", "expired", "replaced", "rejected"})
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asked for, read and checked for form only."""

    client_order_id: str | None
    symbol: str
    side: str
    type: str
    time_in_force: str
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    extended_hours: bool = False
    order_class: str = ""
    position_intent: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One step in an order's life, as the stream told it."""

    at_ns: int
    event: str
    status: str
    filled_qty: Decimal
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. ``qty`` and ``price`` are this execution's, ``cum_qty`` the order's so far."""

    sequence: int
    execution_id: str
    order_id: str
    client_order_id: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    position_qty: Decimal
    session_on: date
    at_ns: int

    @property
    def cash_change(self) -> Decimal:
        """Return what the fill did to cash, in dollars."""
        amount = self.qty * self.price
        return -amount if self.side == "buy" else amount


@dataclass(frozen=True, slots=True)
class Pending:
    """A cancellation or replacement that was asked for and has not come about: what will, and when.

    ``delay_ms`` is real time from the answer on; None waits for the close. ``replacement`` is the order that is to take
    this one's place, and its reservation a share.
    """

    then: Then
    status_before: str
    delay_ms: int | None = None
    replacement: tuple[Order, Decimal] | None = None


@dataclass(slots=True)
class Order:
    """An order the broker took. Prices in dollars a share; ``reserved_price`` is what each open share holds back."""

    id: str
    client_order_id: str
    request: OrderRequest
    created_ns: int
    status: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    reserved_price: Decimal = ZERO
    updated_ns: int = 0
    filled_qty: Decimal = ZERO
    filled_cost: Decimal = ZERO
    filled_ns: int | None = None
    expired_ns: int | None = None
    expires_ns: int | None = None
    canceled_ns: int | None = None
    failed_ns: int | None = None
    replaced_ns: int | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    is_routed: bool = False
    is_held_back: bool = False
    # A replacement that has not reached the venue: it holds nothing and trades nothing yet.
    is_waiting: bool = False
    pending: Pending | None = None
    changes: list[Change] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """Return the symbol traded."""
        return self.request.symbol

    @property
    def side(self) -> str:
        """Return buy or sell."""
        return self.request.side

    @property
    def type(self) -> str:
        """Return market, limit, stop or stop_limit."""
        return self.request.type

    @property
    def time_in_force(self) -> str:
        """Return day, gtc, opg, cls, ioc or fok."""
        return self.request.time_in_force

    @property
    def is_open(self) -> bool:
        """Tell whether the order can still change."""
        return self.status not in TERMINAL

    @property
    def leaves_qty(self) -> Decimal:
        """Return the shares still to trade; zero for a dollar order, whose shares are unknown before."""
        return ZERO if self.qty is None else self.qty - self.filled_qty

    @property
    def reserved(self) -> Decimal:
        """Return the buying power this order holds back, in dollars."""
        if not self.is_open or self.is_waiting:
            return ZERO
        if self.notional is not None and self.side == "buy":
            return self.notional - self.filled_cost
        return self.reserved_price * self.leaves_qty

    @property
    def held_qty(self) -> Decimal:
        """Return the shares of a position this order holds back."""
        if self.side != "sell" or not self.is_open or self.is_waiting:
            return ZERO
        return self.leaves_qty

    @property
    def filled_avg_price(self) -> Decimal | None:
        """Return the average price of what was filled, or None."""
        return self.filled_cost / self.filled_qty if self.filled_qty else None
