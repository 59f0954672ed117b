"""Cancellations and replacements that were asked for and have not come about: what comes of them at last.

An order that hangs so neither trades nor expires by itself until ``settle``, which ends it as its fault says.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from simulators.alpaca import checks
from simulators.alpaca.admission import order_id
from simulators.alpaca.orders import Order, OrderRequest, Pending
from simulators.alpaca.refusals import Refused

if TYPE_CHECKING:
    from simulators.alpaca.broker import Broker


def hang_cancel(broker: Broker, order: Order, pending: Pending) -> None:
    """Leave a cancellation hanging."""
    order.pending = pending
    broker.change(order, "pending_cancel", "pending_cancel")


def hang_replace(
    broker: Broker, old: Order, pending: Pending, request: OrderRequest, reserved_price: Decimal
) -> Order:
    """Leave a replacement hanging; return the new order, which waits for the old one."""
    new = broker.admit(request, Decimal(0), replaces=old.id, is_waiting=True)
    old.pending = Pending(
        pending.then, pending.status_before, pending.delay_ms, (new, reserved_price)
    )
    broker.change(old, "pending_replace", "pending_replace")
    return new


def settle(broker: Broker, order: Order) -> None:
    """Let what hangs on an order come to its end; nothing happens when nothing hangs."""
    pending = order.pending
    if pending is None or not order.is_open:
        return
    order.pending = None
    if pending.replacement is None:
        _settle_cancel(broker, order, pending)
    else:
        _settle_replace(broker, order, pending, *pending.replacement)


def _settle_cancel(broker: Broker, order: Order, pending: Pending) -> None:
    if pending.then == "done":
        broker.finish(order, "canceled", "canceled")
    elif pending.then == "rejected" or not _trade_first(broker, order, pending):
        broker.change(order, "order_cancel_rejected", pending.status_before)


def _settle_replace(
    broker: Broker, old: Order, pending: Pending, new: Order, reserved_price: Decimal
) -> None:
    if pending.then == "done" and _take_place(broker, old, new, reserved_price):
        broker.route(new)
        return
    if pending.then != "filled" or not _trade_first(broker, old, pending):
        broker.change(old, "order_replace_rejected", pending.status_before)
    drop(broker, new)


def _take_place(broker: Broker, old: Order, new: Order, reserved_price: Decimal) -> bool:
    """Let the new order take the old one's place; tell whether the account still allows it."""
    try:
        with broker.without(old):
            checks.check_wash_trade(new.request, broker.book)
            checks.reservation(new.request, broker.rules, broker.book, broker.market)
    except Refused:
        return False
    old.replaced_by = str(order_id(new.client_order_id))
    broker.finish(old, "replaced", "replaced")
    new.is_waiting, new.reserved_price = False, reserved_price
    broker.book.track(new)
    return True


def _trade_first(broker: Broker, order: Order, pending: Pending) -> bool:
    """Fill an order before what was asked for reaches it; tell whether it could, which it can in a session only."""
    session_on = broker.market.open_session
    bar = None if session_on is None else broker.market.session_bar(order.symbol, session_on)
    if session_on is None or bar is None:
        return False
    order.status = pending.status_before
    broker.execute(order, order.limit_price or bar.open, session_on)
    return True


def drop(broker: Broker, replacement: Order) -> None:
    """Reject a replacement whose old order it can't take the place of any more."""
    replacement.is_waiting = False
    broker.finish(replacement, "rejected", "rejected", reason="the order to replace is no more")
