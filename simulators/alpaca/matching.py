"""The fixed rule of fills: at which price an order fills against one session's bar, if at all.

A session knows three moments: its open (price: the bar's open; it stands for the whole session, as the
latest trade does), its range, which is looked at when the session ends, and its close.
"""

from __future__ import annotations

from decimal import Decimal

from simulators.alpaca.orders import Order
from simulators.alpaca.ports import Bar


def price_now(order: Order, price: Decimal) -> Decimal | None:
    """Return ``price`` if the order can trade at it at once, else None."""
    if order.stop_price is not None and not _is_triggered(order, price):
        return None
    if order.limit_price is not None and not _is_within_limit(order, price):
        return None
    return price


def price_in_range(order: Order, bar: Bar) -> Decimal | None:
    """Return the price at which the session's range reached an order that could not trade at the open."""
    is_buy = order.side == "buy"
    if order.stop_price is not None and not _is_triggered(order, bar.high if is_buy else bar.low):
        return None
    if order.limit_price is None:
        return order.stop_price if order.stop_price is not None else bar.open
    if not _is_within_limit(order, bar.low if is_buy else bar.high):
        return None
    return order.limit_price


def price_at_close(order: Order, bar: Bar) -> Decimal | None:
    """Return the closing price for an order of the closing auction, or None past its limit."""
    return price_now(order, bar.close)


def _is_triggered(order: Order, price: Decimal) -> bool:
    stop = order.stop_price
    return stop is None or (price >= stop if order.side == "buy" else price <= stop)


def _is_within_limit(order: Order, price: Decimal) -> bool:
    limit = order.limit_price
    return limit is None or (price <= limit if order.side == "buy" else price >= limit)
