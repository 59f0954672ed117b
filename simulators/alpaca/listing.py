"""Lists of orders and of fills: the filters and pages of the two endpoints that reconciliation reads."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from operator import attrgetter

from simulators.alpaca import refusals
from simulators.alpaca.book import Book
from simulators.alpaca.instants import parse, rfc3339
from simulators.alpaca.orders import Fill, Order
from simulators.alpaca.wire import activity_id

ORDER_LIMIT_DEFAULT = 50
ORDER_LIMIT_MAX = 500
ACTIVITY_PAGE_MAX = 100
_filled_at = attrgetter("at_ns")


def list_orders(book: Book, query: Mapping[str, str]) -> list[Order]:
    """Return the orders a query asks for. ``after`` and ``until`` are exclusive, by submission time."""
    status = _one_of(query, "status", ("open", "closed", "all"))
    symbols = {s for s in query.get("symbols", "").split(",") if s}
    after, until = _bounds(book, query)
    side = query.get("side")
    is_other_class = query.get("asset_class", "us_equity") not in ("us_equity", "all", "")
    among = {} if is_other_class else book.open_orders if status == "open" else book.orders
    found = [
        order
        for order in among.values()
        if (status != "closed" or not order.is_open)
        and (not symbols or order.symbol in symbols)
        and (not side or order.side == side)
        and (after is None or order.created_ns > after)
        and (until is None or order.created_ns < until)
    ]
    is_descending = _one_of(query, "direction", ("desc", "asc")) == "desc"
    found.sort(key=lambda order: order.created_ns, reverse=is_descending)
    return found[: _count(query, "limit", ORDER_LIMIT_DEFAULT, ORDER_LIMIT_MAX)]


def list_fills(book: Book, query: Mapping[str, str]) -> list[Fill]:
    """Return a page of fills. ``page_token`` is the id of the last activity already seen."""
    # In the order of their instants and of their ids, which both only grow: what is asked for is one piece.
    fills, start, end = book.fills, 0, len(book.fills)
    after, until = _instant(query, "after"), _instant(query, "until")
    if after is not None:
        start = bisect_right(fills, after, key=_filled_at)
    if until is not None:
        end = bisect_left(fills, until, key=_filled_at)
    is_descending = _one_of(query, "direction", ("desc", "asc")) == "desc"
    token = query.get("page_token")
    if token and is_descending:
        end = min(end, bisect_left(fills, token, key=activity_id))
    elif token:
        start = max(start, bisect_right(fills, token, key=activity_id))
    if query.get("date"):
        on = [f for f in fills[start:end] if rfc3339(f.at_ns).startswith(query["date"])]
        fills, start, end = on, 0, len(on)
    count = _count(query, "page_size", ACTIVITY_PAGE_MAX, ACTIVITY_PAGE_MAX)
    if is_descending:
        return fills[max(start, end - count) : end][::-1]
    return fills[start : min(end, start + count)]


def _bounds(book: Book, query: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return the exclusive instants between which orders were submitted."""
    after, until = _instant(query, "after"), _instant(query, "until")
    for name in ("before_order_id", "after_order_id"):
        value = query.get(name)
        if not value:
            continue
        if after is not None or until is not None:
            raise refusals.invalid(f"{name} can't be combined with after or until")
        order = book.orders.get(value)
        if order is None:
            raise refusals.missing(f"order not found for {value}")
        if name == "before_order_id":
            return None, order.created_ns
        return order.created_ns, None
    return after, until


def _one_of(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    value = query.get(name) or known[0]
    if value not in known:
        raise refusals.invalid(f"invalid {name}: {value}")
    return value


def _instant(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name)
    if not value:
        return None
    try:
        return parse(value)
    except ValueError as error:
        raise refusals.invalid(f"invalid {name}: {value}") from error


def _count(query: Mapping[str, str], name: str, default: int, highest: int) -> int:
    value = query.get(name)
    if not value:
        return default
    if not value.isdecimal() or not 1 <= int(value) <= highest:
        raise refusals.invalid(f"{name} must be between 1 and {highest}")
    return int(value)
