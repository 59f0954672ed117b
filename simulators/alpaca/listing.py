"""Lists of orders and of fills: the filters and pages of the two endpoints that reconciliation reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulators.alpaca import refusals
from simulators.alpaca.book import Book
from simulators.alpaca.instants import parse, rfc3339
from simulators.alpaca.orders import Fill, Order
from simulators.alpaca.wire import activity_id

ORDER_LIMIT_DEFAULT = 50
ORDER_LIMIT_MAX = 500
ACTIVITY_PAGE_MAX = 100


def list_orders(book: Book, query: Mapping[str, str]) -> list[Order]:
    """Return the orders a query asks for. ``after`` and ``until`` are exclusive, by submission time."""
    status = _one_of(query, "status", ("open", "closed", "all"))
    symbols = {s for s in query.get("symbols", "").split(",") if s}
    after, until = _bounds(book, query)
    side = query.get("side")
    found = [
        order
        for order in (book.open_orders if status == "open" else book.orders).values()
        if (status != "closed" or not order.is_open)
        and (not symbols or order.symbol in symbols)
        and (not side or order.side == side)
        and query.get("asset_class", "us_equity") in ("us_equity", "all", "")
        and (after is None or order.created_ns > after)
        and (until is None or order.created_ns < until)
    ]
    is_descending = _one_of(query, "direction", ("desc", "asc")) == "desc"
    found.sort(key=lambda order: order.created_ns, reverse=is_descending)
    return found[: _count(query, "limit", ORDER_LIMIT_DEFAULT, ORDER_LIMIT_MAX)]


def list_fills(book: Book, query: Mapping[str, str]) -> list[Fill]:
    """Return a page of fills. ``page_token`` is the id of the last activity already seen."""
    fills: Iterable[Fill] = book.fills
    if query.get("date"):
        fills = [fill for fill in fills if rfc3339(fill.at_ns).startswith(query["date"])]
    after, until = _instant(query, "after"), _instant(query, "until")
    found = [
        fill
        for fill in fills
        if (after is None or fill.at_ns > after) and (until is None or fill.at_ns < until)
    ]
    is_descending = _one_of(query, "direction", ("desc", "asc")) == "desc"
    if is_descending:
        found.reverse()
    token = query.get("page_token")
    if token:
        found = [f for f in found if (activity_id(f) < token) == is_descending]
        found = [f for f in found if activity_id(f) != token]
    return found[: _count(query, "page_size", ACTIVITY_PAGE_MAX, ACTIVITY_PAGE_MAX)]


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
