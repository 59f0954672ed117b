"""Corporate actions at a session's open: splits of positions, and of the orders that wait over them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from simulators.alpaca.instants import to_datetime
from simulators.alpaca.orders import Order
from simulators.alpaca.splits import after_split, reserved_after_split
from tradetrail import sessions

if TYPE_CHECKING:
    from simulators.alpaca.broker import Broker


def apply_splits(broker: Broker, session_on: date) -> None:
    """Split what the account has of every symbol that splits on that day, before anything trades."""
    book = broker.book
    symbols = {*book.positions, *(o.symbol for o in book.open_orders.values())}
    for symbol in sorted(symbols):
        bar = broker.market.session_bar(symbol, session_on)
        if bar is None or bar.split == 1:
            continue
        if symbol in book.positions:
            book.apply_split(session_on, symbol, bar.split)
        for order in book.open_orders_of(symbol):
            # An order made on the split's own day already speaks of new shares; a replacement that waits for its old
            # order falls with it.
            made_on = sessions.new_york_date(to_datetime(order.created_ns))
            if made_on < session_on and order.is_open and not order.is_waiting:
                _replace(broker, order, bar.split, session_on)
        _cancel_unheld(broker, symbol)


def _cancel_unheld(broker: Broker, symbol: str) -> None:
    """Cancel the newest sells that a split left too few shares for: made on its own day, before its open."""
    book = broker.book
    for order in reversed(book.open_orders_of(symbol)):
        if order.held_qty and book.held_qty(symbol) > book.position_qty(symbol):
            broker.finish(order, "canceled", "canceled", reason="too few shares after a split")


def _replace(broker: Broker, old: Order, factor: Decimal, session_on: date) -> None:
    """Give an order that waited over a split its new quantity and prices, as a new order."""
    request = after_split(old, factor, session_on)
    if request is None:
        broker.finish(old, "canceled", "canceled", reason="nothing left after a split")
        return
    broker.swap(old, request, reserved_after_split(old, factor))
