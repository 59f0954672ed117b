"""Lists of the account's orders and of its fills, page by page. Runs on a lane; bad rows are told, never raised.

Pages go on by submission time, which is exclusive: the broker's own text of the last row's time, to the nanosecond.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog

from services.executor.broker.guarded_http import Exchange
from services.executor.broker.outcomes import Away, BrokerOrder, Fill, Told
from services.executor.broker.trading_api import Broker, parse_fill, parse_order

ORDER_PAGE = 500
"""Most rows of one answer. Source: Alpaca's reference of GET /v2/orders."""
ACTIVITY_PAGE = 100
"""Most rows of one answer. Source: Alpaca's reference of GET /v2/account/activities."""
# 10,000 orders: more than an account of 200 requests a minute can have open without being a day's work to list.
ORDER_PAGES_MAX = 20
# 2,000 fills between two looks; what is not among them is told by the orders' totals.
ACTIVITY_PAGES_MAX = 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """One order, and the answer that told it; ``is_shared`` when that told of others too."""

    order: BrokerOrder
    call: Exchange
    is_shared: bool = True


@dataclass(slots=True)
class Listing:
    """What a list told: orders by the broker's id; ``is_whole`` only when every page came and could be read."""

    orders: dict[str, Listed] = field(default_factory=dict)
    is_whole: bool = False
    away: Away | None = None
    calls: list[Exchange] = field(default_factory=list)


@dataclass(slots=True)
class Fills:
    """Single fills by the broker's order id, oldest first, and the pages that told them."""

    of: dict[str, list[Fill]] = field(default_factory=dict)
    away: Away | None = None
    calls: list[Exchange] = field(default_factory=list)


def list_orders(broker: Broker, status: str, after: str | None = None) -> Listing:
    """Return the orders of ``status`` (open, closed, all) submitted after an instant (RFC 3339), oldest first."""
    listing = Listing()
    for _ in range(ORDER_PAGES_MAX):
        query: dict[str, Any] = {"status": status, "limit": ORDER_PAGE, "direction": "asc"}
        if after is not None:
            query["after"] = after
        told = broker.orders(query)
        listing.calls.append(told.call)
        if not isinstance(told, Told) or not isinstance(told.value, list):
            listing.away = told if isinstance(told, Away) else Away("no list", told.call)
            return listing
        is_read, last_at = _take_page(told, listing)
        if len(told.value) < ORDER_PAGE:
            listing.is_whole = is_read
            return listing
        if not is_read or last_at is None or last_at == after:
            return listing
        after = last_at
    log.warning("the list of orders is too long to be read whole", pages=ORDER_PAGES_MAX)
    return listing


def list_fills(broker: Broker, order_ids: Collection[str] | None, after: datetime | None) -> Fills:
    """Return the fills after an instant, of some orders (of all with None)."""
    fills = Fills()
    query: dict[str, Any] = {"direction": "asc", "page_size": ACTIVITY_PAGE}
    if after is not None:
        query["after"] = after.isoformat()
    for _ in range(ACTIVITY_PAGES_MAX):
        told = broker.fill_activities(dict(query))
        fills.calls.append(told.call)
        if not isinstance(told, Told) or not isinstance(told.value, list):
            fills.away = told if isinstance(told, Away) else Away("no list", told.call)
            return fills
        for row in told.value:
            try:
                fill = parse_fill(row)
            except (KeyError, ValueError, TypeError, InvalidOperation) as error:
                log.warning("a fill of the activities can't be read", error=repr(error))
                continue
            if order_ids is None or fill.broker_order_id in order_ids:
                fills.of.setdefault(fill.broker_order_id, []).append(fill)
        token = (
            told.value[-1].get("id") if told.value and isinstance(told.value[-1], dict) else None
        )
        if len(told.value) < ACTIVITY_PAGE or not token:
            return fills
        query["page_token"] = token
    return fills


def rows_as_received(body: str) -> Iterator[str]:
    """Yield each element of a JSON array as the very text the broker sent."""
    decoder = json.JSONDecoder(parse_float=Decimal)
    at = body.index("[") + 1
    while True:
        while at < len(body) and body[at] in " \t\r\n,":
            at += 1
        if at >= len(body) or body[at] == "]":
            return
        _, end = decoder.raw_decode(body, at)
        yield body[at:end]
        at = end


def _take_page(told: Told, listing: Listing) -> tuple[bool, str | None]:
    """Add a page's orders; return whether every row could be read, and when the last one was submitted."""
    is_read, last_at = True, None
    texts = rows_as_received((told.call.body or b"").decode("utf-8", "replace"))
    for row, raw in zip(told.value, texts, strict=False):
        try:
            order = parse_order(row, raw)
        except (KeyError, ValueError, TypeError, InvalidOperation) as error:
            log.warning("an order of the list can't be read", error=repr(error))
            is_read = False
            continue
        listing.orders[order.order_id] = Listed(order, told.call)
        last_at = row.get("submitted_at") or last_at
    return is_read, last_at
