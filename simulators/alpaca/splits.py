"""What a split does to an order that waits over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from simulators.alpaca.amounts import QTY_STEP, is_whole
from simulators.alpaca.orders import Order, OrderRequest
from tradetrail.ids import derive_id

_CENT = Decimal("0.01")


def after_split(old: Order, factor: Decimal, session_on: date) -> OrderRequest | None:
    """Return the order that takes the place of ``old``, in new shares; None when no whole share is left.

    Whole quantities stay whole (rounded down), prices are rounded to the cent.
    """
    qty = None if old.qty is None else old.leaves_qty * factor
    if qty is not None and is_whole(old.leaves_qty):
        qty = qty.to_integral_value(rounding=ROUND_DOWN)
    if qty == 0:
        return None
    return replace(
        old.request,
        client_order_id=str(derive_id("simulated-split", old.id, session_on)),
        qty=qty,
        limit_price=_split_price(old.limit_price, factor),
        stop_price=_split_price(old.stop_price, factor),
    )


def reserved_after_split(old: Order, factor: Decimal) -> Decimal:
    """Return what each new share holds back, dollars; to nine decimals, so that a sum of them stays exact."""
    return (old.reserved_price / factor).quantize(QTY_STEP, ROUND_UP)


def _split_price(price: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if price is None else (price / factor).quantize(_CENT)
