"""What the account and the market allow: the checks an order passes before the broker takes it.

Raises Refused. An order refused here was never taken: its client_order_id stays free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from simulators.alpaca import refusals
from simulators.alpaca.amounts import is_whole
from simulators.alpaca.book import Book
from simulators.alpaca.instants import to_datetime
from simulators.alpaca.market import Market
from simulators.alpaca.orders import ZERO, Order, OrderRequest
from tradetrail import sessions

# What a queued market buy may cost more than the last close. Source: Alpaca's docs gave 2.5 to 4 percent.
QUEUED_MARKET_MARGIN = Decimal("1.04")
# What a short sale is valued at over the ask. Source: Alpaca's docs, "max(limit, ask * 1.03)".
SHORT_MARGIN = Decimal("1.03")
COST_BASIS_MIN = Decimal(1)
# Source: Alpaca's time-in-force rules, New York wall time.
AUCTION_ENTRY_REOPENS_ET = time(19, 0)
OPEN_AUCTION_CUTOFF_ET = time(9, 28)
CLOSE_AUCTION_CUTOFF_ET = time(15, 50)


@dataclass(slots=True)
class AccountRules:
    """Switches of the account and exceptions among its assets; operators and tests set them."""

    trading_blocked: bool = False
    trade_suspended_by_user: bool = False
    shorting_enabled: bool = False
    halted_symbols: frozenset[str] = frozenset()
    inactive_symbols: frozenset[str] = frozenset()
    whole_share_symbols: frozenset[str] = frozenset()


def buying_power(book: Book, market: Market) -> Decimal:
    """Return what the account can still spend, in dollars, never below zero."""
    free = book.cash
    if book.multiplier > 1:
        exposure = sum((abs(value) for value in position_values(book, market).values()), ZERO)
        free = equity(book, market) * book.multiplier - exposure
    return max(free - book.reserved, ZERO)


def position_values(book: Book, market: Market) -> dict[str, Decimal]:
    """Return the market value of each position at the latest price (short: negative)."""
    values = {}
    for symbol, position in book.positions.items():
        quote = market.quote(symbol)
        values[symbol] = position.qty * quote.price if quote else position.cost
    return values


def equity(book: Book, market: Market) -> Decimal:
    """Return cash plus the market value of all positions, in dollars."""
    return book.cash + sum(position_values(book, market).values(), ZERO)


def check_account(rules: AccountRules) -> None:
    """Refuse when the account may not trade at all."""
    if rules.trading_blocked:
        raise refusals.forbidden("account is restricted from trading")
    if rules.trade_suspended_by_user:
        raise refusals.forbidden("new orders are rejected by user request")


def check_asset(request: OrderRequest, rules: AccountRules, market: Market) -> None:
    """Refuse an asset that is unknown, has no price, or can't be had in parts."""
    symbol = request.symbol
    if market.asset(symbol) is None:
        raise refusals.missing(f"asset not found for {symbol}")
    if symbol in rules.inactive_symbols:
        raise refusals.unacceptable(f'asset "{symbol}" is not active')
    if symbol in rules.halted_symbols or not market.is_tradable(symbol):
        raise refusals.unacceptable(f'asset "{symbol}" is not tradable')
    is_fractional = request.qty is None or not is_whole(request.qty)
    if is_fractional and symbol in rules.whole_share_symbols:
        raise refusals.unacceptable(f'asset "{symbol}" is not fractionable')


def check_auction_windows(request: OrderRequest, now_ns: int) -> None:
    """Refuse auction orders between their cut-off and 19:00 New York on a session day (inferred text)."""
    if request.time_in_force not in ("opg", "cls"):
        return
    instant = to_datetime(now_ns)
    if not sessions.is_session(sessions.new_york_date(instant)):
        return
    is_open_auction = request.time_in_force == "opg"
    cutoff = OPEN_AUCTION_CUTOFF_ET if is_open_auction else CLOSE_AUCTION_CUTOFF_ET
    if cutoff <= instant.astimezone(sessions.NEW_YORK).time() < AUCTION_ENTRY_REOPENS_ET:
        raise refusals.unacceptable(
            f"{request.time_in_force} orders are not accepted between "
            f"{cutoff:%H:%M} and {AUCTION_ENTRY_REOPENS_ET:%H:%M} ET"
        )


def check_wash_trade(request: OrderRequest, book: Book) -> None:
    """Refuse an order that could trade against an open order of this account."""
    for order in book.open_orders_of(request.symbol):
        if order.side == request.side or not _could_cross(request, order):
            continue
        kind = "limit" if order.type == "limit" else "market/stop"
        raise refusals.wash_trade(order.id, kind)


def reservation(request: OrderRequest, rules: AccountRules, book: Book, market: Market) -> Decimal:
    """Return the buying power a share of the order holds back, or refuse what can't be paid or sold."""
    held = book.position_qty(request.symbol)
    price = _entry_price(request, market)
    qty = request.qty if request.qty is not None else (request.notional or ZERO) / price
    if request.side == "sell" and held > 0:
        _check_free_qty(request, book, qty)
        return ZERO
    if request.side == "buy" and held < 0:
        return _check_cover(request, book, qty, price)
    if request.side == "sell":
        if not rules.shorting_enabled:
            raise refusals.forbidden("account not allowed to short")
        if not is_whole(qty):
            raise refusals.unacceptable("fractional orders cannot be sold short")
        price *= SHORT_MARGIN if request.limit_price is None else 1
    cost = request.notional if request.notional is not None else qty * price
    if cost < COST_BASIS_MIN:
        raise refusals.forbidden("cost basis must be >= minimal amount of order 1")
    power = buying_power(book, market)
    if cost > power:
        raise refusals.insufficient_buying_power(power, cost)
    return price


def can_settle(
    order: Order, qty: Decimal, price: Decimal, rules: AccountRules, book: Book, market: Market
) -> bool:
    """Tell whether a waiting order can still be paid, or its shares delivered, at the price it met."""
    held = book.position_qty(order.symbol)
    if order.side == "sell":
        return qty <= held or rules.shorting_enabled
    if held < 0 and book.multiplier > 1:
        return True
    return qty * price <= buying_power(book, market) + order.reserved


def _could_cross(request: OrderRequest, order: Order) -> bool:
    if request.limit_price is None or order.limit_price is None or order.type != "limit":
        return True
    if request.side == "buy":
        return request.limit_price >= order.limit_price
    return request.limit_price <= order.limit_price


def _entry_price(request: OrderRequest, market: Market) -> Decimal:
    """Return the price an order is valued at before it trades."""
    if request.limit_price is not None:
        return request.limit_price
    quote = market.quote(request.symbol)
    if quote is None:
        raise refusals.unacceptable(f'asset "{request.symbol}" is not tradable')
    price = max(quote.price, request.stop_price or ZERO)
    is_queued = market.open_session is None
    return price * QUEUED_MARKET_MARGIN if is_queued and request.notional is None else price


def _check_free_qty(request: OrderRequest, book: Book, qty: Decimal) -> None:
    existing, held = book.position_qty(request.symbol), book.held_qty(request.symbol)
    if qty > existing - held:
        related = [o.id for o in book.open_orders_of(request.symbol) if o.side == "sell"]
        raise refusals.insufficient_qty(
            request.symbol, requested=qty, existing=existing, held=held, related=related
        )


def _check_cover(request: OrderRequest, book: Book, qty: Decimal, price: Decimal) -> Decimal:
    """Let a buy close a short position, up to its size; it costs no more than the account has."""
    short = -book.position_qty(request.symbol)
    pending = sum(
        (o.leaves_qty for o in book.open_orders_of(request.symbol) if o.side == "buy"), ZERO
    )
    if qty > short - pending:
        related = [o.id for o in book.open_orders_of(request.symbol) if o.side == "buy"]
        raise refusals.insufficient_qty(
            request.symbol, requested=qty, existing=short, held=pending, related=related
        )
    return ZERO if book.multiplier > 1 else price


def check_cancelable(order: Order) -> None:
    """Refuse to cancel an order that is over, or about to change (the text about a replacement is inferred)."""
    if not order.is_open:
        raise refusals.unacceptable(f'order is already in "{order.status}" state')
    if order.status == "pending_cancel":
        raise refusals.unacceptable("order pending cancel")
    if order.pending is not None or order.is_waiting:
        raise refusals.unacceptable("order pending replace")


def check_replaceable(order: Order) -> None:
    """Refuse to replace an order that is over, or about to change."""
    if not order.is_open or order.pending is not None or order.is_waiting:
        raise refusals.unacceptable("unable to replace order in current state")
