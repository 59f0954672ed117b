"""Faults inside the broker: what it does to an order instead of the plain rule, while armed.

Partial fills, rejections after acceptance, cancellations and replacements that hang or fail. Each armed fault
names the orders it meets (by symbol, side or client_order_id; left out means any) and how often it strikes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from simulators.alpaca.amounts import QTY_STEP, is_whole
from simulators.alpaca.arming import Arming
from simulators.alpaca.orders import ZERO, Order, Pending, Then

Rest = Literal["fill", "hold", "cancel"]


@dataclass(slots=True)
class OrderFault:
    """One armed fault on orders."""

    kind: Literal["partial_fill", "reject", "done_for_day", "pending_cancel", "pending_replace"]
    arming: Arming
    symbol: str | None = None
    side: str | None = None
    client_order_id: str | None = None
    fractions: tuple[Decimal, ...] = ()
    rest: Rest = "fill"
    then: Then = "done"
    delay_ms: int | None = None

    def strikes(self, order: Order) -> bool:
        """Tell whether the fault hits this order now, and count it."""
        for wanted, actual in (
            (self.symbol, order.symbol),
            (self.side, order.side),
            (self.client_order_id, order.client_order_id),
        ):
            if wanted is not None and wanted != actual:
                return False
        return self.arming.strikes()


@dataclass(frozen=True, slots=True)
class FillPlan:
    """The parts an execution comes in, and what becomes of the rest after them."""

    parts: tuple[Decimal, ...] = ()
    rest: Rest = "fill"


@dataclass(slots=True)
class Interference:
    """The armed faults on orders."""

    faults: list[OrderFault] = field(default_factory=list)

    def reject(self, order: Order) -> bool:
        """Tell whether the venue rejects an accepted order."""
        return self._strike("reject", order) is not None

    def end_for_the_day(self, order: Order) -> bool:
        """Tell whether the venue takes an order out of the running session."""
        return self._strike("done_for_day", order) is not None

    def stall(
        self, kind: Literal["pending_cancel", "pending_replace"], order: Order
    ) -> Pending | None:
        """Return what a cancellation or replacement waits for; None lets it come about at once."""
        fault = self._strike(kind, order)
        return None if fault is None else Pending(fault.then, order.status, fault.delay_ms)

    def partial_fills(self, order: Order, qty: Decimal) -> FillPlan:
        """Return how an execution of ``qty`` shares comes about."""
        fault = self._strike("partial_fill", order)
        if fault is None:
            return FillPlan()
        step = Decimal(1) if is_whole(qty) else QTY_STEP
        left, parts = qty, []
        for fraction in fault.fractions:
            part = (qty * fraction).quantize(step, rounding=ROUND_DOWN)
            if ZERO < part < left:
                parts.append(part)
                left -= part
        return FillPlan(tuple(parts), fault.rest if parts else "fill")

    def _strike(self, kind: str, order: Order) -> OrderFault | None:
        for fault in self.faults:
            if fault.kind == kind and fault.strikes(order):
                return fault
        return None
