"""Thorough looks for one order at the broker: by its ids, and in the broker's list of orders. Run on a lane."""

from __future__ import annotations

from datetime import timedelta

from services.executor.broker.looking import Heard, Seen, look
from services.executor.broker.order_list import list_orders
from services.executor.broker.outcomes import Away, Missing
from services.executor.broker.trading_api import Broker
from services.executor.state.book import Execution
from tradetrail.events.generated import CallPurpose

# How far our clock may be ahead of the broker's, which stamps the orders of its list.
CLOCKS_APART = timedelta(minutes=5)


def look_up(broker: Broker, *, execution: Execution, heard: Heard, is_last: bool) -> Seen:
    """Look an order up by its client_order_id; the last look before it is sent again reads the broker's list too."""
    seen = look(
        broker,
        lambda b: b.find(execution.client_order_id),
        CallPurpose.ORDER_LOOKUP,
        execution,
        heard,
    )
    if not is_last or not isinstance(seen.answer, Missing):
        return seen
    listing = list_orders(broker, "all", (execution.began_at - CLOCKS_APART).isoformat())
    calls = [*seen.calls, *((call, CallPurpose.ORDER_LOOKUP) for call in listing.calls)]
    orders = [each.order for each in listing.orders.values()]
    ids = (execution.client_order_id, execution.broker_order_id)
    order = next((o for o in orders if o.client_order_id == ids[0] or o.order_id == ids[1]), None)
    if order is not None:
        listed = look(broker, lambda _: order, CallPurpose.ORDER_LOOKUP, execution, heard)
        return Seen(order, [*seen.calls, *listed.calls], listed.listed)
    if not listing.is_whole:
        away = listing.away or Away("the broker's list of orders can't be read", listing.calls[-1])
        return Seen(away, calls)
    return Seen(seen.answer, calls)


def look_everywhere(broker: Broker, *, execution: Execution, heard: Heard) -> Seen:
    """Look for an order that the broker accepted: by the broker's id, by ours, and in its list; Missing if in none."""
    order_id = execution.broker_order_id
    if order_id is None:
        return look_up(broker, execution=execution, heard=heard, is_last=True)
    by_id = look(broker, lambda b: b.order(order_id), CallPurpose.ORDER_LOOKUP, execution, heard)
    if not isinstance(by_id.answer, Missing):
        return by_id
    rest = look_up(broker, execution=execution, heard=heard, is_last=True)
    return Seen(rest.answer, [*by_id.calls, *rest.calls], rest.listed)
