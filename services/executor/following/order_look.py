"""One look at orders that are open at the broker: the requests of it. Runs on a lane; knows no book.

A few orders are asked for one by one; many by a list of the open ones. What is missing there has ended: it is asked
for by itself, or by a list of all orders when many are missing. Single fills come with the look when they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from services.executor.broker.fills import chain_between
from services.executor.broker.guarded_http import Exchange
from services.executor.broker.looking import Heard
from services.executor.broker.order_list import Fills, Listed, Listing, list_fills, list_orders
from services.executor.broker.outcomes import Away, BrokerOrder, Missing
from services.executor.broker.trading_api import Broker

# Up to this many orders are asked for one by one: a list costs one request too, and one more for each that ended.
FEW = 3
# What a list of open orders lacks is asked for one by one up to here, else by a list of all orders.
MISSING_SINGLY_MAX = 8
# The broker's clock and ours may differ by this much when a list begins at an instant of ours.
CLOCK_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order to look at, as the log has it when the look begins; ``began_at`` (UTC) is when its intent was made."""

    execution_id: str
    client_order_id: str
    order_id: str | None
    filled_qty_total: Decimal
    began_at: datetime


@dataclass(slots=True)
class Look:
    """What a look brought, by execution id. What is neither ``found`` nor ``forgotten`` was not told of: ask again."""

    found: dict[str, Listed] = field(default_factory=dict)
    forgotten: dict[str, Exchange] = field(default_factory=dict)
    fills: Fills = field(default_factory=Fills)
    last_call: Exchange | None = None
    away: Away | None = None


def look_at(broker: Broker, wanted: Sequence[Wanted], heard: Heard) -> Look:
    """Ask for ``wanted``; never raises for what the broker answers."""
    look = Look()
    if len(wanted) <= FEW:
        _ask_singly(broker, wanted, look)
    else:
        _take(list_orders(broker, "open"), wanted, look)
        missing = [each for each in wanted if each.execution_id not in look.found]
        if look.away is None and len(missing) > MISSING_SINGLY_MAX:
            since = min(each.began_at for each in missing) - CLOCK_SLACK
            _take(list_orders(broker, "all", since.isoformat()), missing, look)
            missing = [each for each in missing if each.execution_id not in look.found]
        if look.away is None:
            _ask_singly(broker, missing[:MISSING_SINGLY_MAX], look)
    _ask_for_fills(broker, wanted, heard, look)
    return look


def _ask_singly(broker: Broker, wanted: Sequence[Wanted], look: Look) -> None:
    for each in wanted:
        # An order that an operator settled may have no id of the broker's in the log.
        told = (
            broker.find(each.client_order_id)
            if each.order_id is None
            else broker.order(each.order_id)
        )
        look.last_call = call = broker.last_call
        if isinstance(told, Away):
            look.away = told
            return
        if isinstance(told, Missing):
            look.forgotten[each.execution_id] = told.call
        elif call is not None:
            look.found[each.execution_id] = Listed(told, call, is_shared=False)


def _take(listing: Listing, wanted: Sequence[Wanted], look: Look) -> None:
    for each in wanted:
        listed = listing.orders.get(each.order_id or "")
        if listed is not None:
            look.found[each.execution_id] = listed
    look.last_call = listing.calls[-1]
    look.away = listing.away


def _ask_for_fills(broker: Broker, wanted: Sequence[Wanted], heard: Heard, look: Look) -> None:
    """Ask for the activities when an order was filled further than the log and the stream can tell."""
    lacking: dict[str, BrokerOrder] = {}
    for each in wanted:
        listed = look.found.get(each.execution_id)
        if listed is None or listed.order.filled_qty <= each.filled_qty_total:
            continue
        order = listed.order
        if chain_between(each.filled_qty_total, order.filled_qty, heard(order.order_id)) is None:
            lacking[order.order_id] = order
    if not lacking:
        return
    instants = [order.submitted_at for order in lacking.values() if order.submitted_at]
    # A second earlier: the bound is exclusive, and the log's instants are cut to microseconds.
    after = min(instants) - timedelta(seconds=1) if len(instants) == len(lacking) else None
    look.fills = list_fills(broker, lacking.keys(), after)
