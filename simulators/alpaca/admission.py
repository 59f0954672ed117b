"""The birth of an order: its ids, which are functions of the client's, and its lifetime."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from simulators.alpaca.instants import to_datetime, to_ns
from simulators.alpaca.orders import Order, OrderRequest
from tradetrail.ids import derive_id

# Source: Alpaca cancels good-till-cancelled orders 90 days after they were made.
GTC_LIFETIME = timedelta(days=90)


def order_id(client_order_id: str) -> UUID:
    """Return the broker's id of the order with that client_order_id, the same in every run."""
    return derive_id("simulated-order", client_order_id)


def new_order(request: OrderRequest, at_ns: int, status: str, *, sequence: int) -> Order:
    """Return an order made at ``at_ns``; ``sequence`` names it when the client did not."""
    client_order_id = request.client_order_id or str(derive_id("simulated-client-order", sequence))
    expires_ns = None
    if request.time_in_force == "gtc":
        expires_ns = to_ns(to_datetime(at_ns) + GTC_LIFETIME)
    return Order(
        id=str(order_id(client_order_id)),
        client_order_id=client_order_id,
        request=request,
        created_ns=at_ns,
        status=status,
        qty=request.qty,
        notional=request.notional,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        expires_ns=expires_ns,
    )
