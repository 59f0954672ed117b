"""What the broker's objects look like on the wire: Alpaca's field names, numbers as strings."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from simulators.alpaca.amounts import maybe, plain, rounded
from simulators.alpaca.book import Book, Position
from simulators.alpaca.checks import AccountRules, buying_power, equity, position_values
from simulators.alpaca.instants import rfc3339, to_datetime
from simulators.alpaca.market import Asset, Market, asset_id
from simulators.alpaca.orders import ZERO, Fill, Order
from tradetrail.ids import derive_id

ACCOUNT_ID = str(derive_id("simulated-account", "alpaca"))
ACCOUNT_NUMBER = "PA0SIMULATED"


def dump(content: Any) -> bytes:
    """Return compact JSON."""
    return json.dumps(content, separators=(",", ":")).encode()


def order_json(order: Order) -> dict[str, Any]:
    """Return an order with every field that Alpaca's has."""
    average = order.filled_avg_price
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": rfc3339(order.created_ns),
        "updated_at": rfc3339(order.updated_ns),
        "submitted_at": rfc3339(order.created_ns),
        "filled_at": _when(order.filled_ns),
        "expired_at": _when(order.expired_ns),
        "expires_at": _when(order.expires_ns),
        "canceled_at": _when(order.canceled_ns),
        "failed_at": _when(order.failed_ns),
        "replaced_at": _when(order.replaced_ns),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": maybe(order.notional),
        "qty": maybe(order.qty),
        "filled_qty": plain(order.filled_qty),
        "filled_avg_price": None if average is None else rounded(average),
        "order_class": order.request.order_class,
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "position_intent": order.request.position_intent or f"{order.side}_to_{_intent(order)}",
        "time_in_force": order.time_in_force,
        "limit_price": maybe(order.limit_price),
        "stop_price": maybe(order.stop_price),
        "status": order.status,
        "extended_hours": order.request.extended_hours,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": None,
    }


def update_json(order: Order, event: str, at_ns: int, fill: Fill | None) -> dict[str, Any]:
    """Return the message the trade_updates stream carries for one change."""
    content: dict[str, Any] = {
        "event": event,
        "timestamp": rfc3339(at_ns),
        "order": order_json(order),
    }
    if fill is not None:
        content |= {
            "execution_id": fill.execution_id,
            "price": plain(fill.price),
            "qty": plain(fill.qty),
            "position_qty": plain(fill.position_qty),
        }
    return {"stream": "trade_updates", "data": content}


def activity_json(fill: Fill) -> dict[str, Any]:
    """Return a fill as an account activity."""
    is_last = fill.leaves_qty == 0
    return {
        "id": activity_id(fill),
        "account_id": ACCOUNT_ID,
        "activity_type": "FILL",
        "transaction_time": rfc3339(fill.at_ns),
        "type": "fill" if is_last else "partial_fill",
        "price": plain(fill.price),
        "qty": plain(fill.qty),
        "side": fill.side,
        "symbol": fill.symbol,
        "leaves_qty": plain(fill.leaves_qty),
        "order_id": fill.order_id,
        "cum_qty": plain(fill.cum_qty),
        "order_status": "filled" if is_last else "partially_filled",
        "execution_id": fill.execution_id,
    }


def activity_id(fill: Fill) -> str:
    """Return an id that sorts by time and, within an instant, by the order of execution."""
    digits = fill.execution_id.replace("-", "")
    tail = f"{fill.sequence:08x}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return f"{to_datetime(fill.at_ns):%Y%m%d%H%M%S}{fill.at_ns // 1_000_000 % 1000:03d}::{tail}"


def account_json(
    book: Book, rules: AccountRules, market: Market, created_ns: int
) -> dict[str, Any]:
    """Return the account. The pattern-day-trader fields are absent, as since July 2026."""
    values = position_values(book, market)
    long = sum((v for v in values.values() if v > 0), ZERO)
    short = sum((v for v in values.values() if v < 0), ZERO)
    total = equity(book, market)
    power = buying_power(book, market)
    last = last_equity(book, market)
    # Source: Regulation T: half initially; FINRA rule 4210: a quarter long, 30 percent short.
    initial = long - short if book.multiplier == 1 else (long - short) / 2
    maintenance = long / 4 - short * 3 / 10
    return {
        "id": ACCOUNT_ID,
        "account_number": ACCOUNT_NUMBER,
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "cash": plain(book.cash),
        "buying_power": plain(power),
        "regt_buying_power": plain(power),
        "non_marginable_buying_power": plain(max(book.cash - book.reserved, ZERO)),
        "options_buying_power": "0",
        "equity": plain(total),
        "last_equity": plain(last),
        "portfolio_value": plain(total),
        "long_market_value": plain(long),
        "short_market_value": plain(short),
        "position_market_value": plain(long + short),
        "initial_margin": plain(initial),
        "maintenance_margin": plain(maintenance),
        "last_maintenance_margin": plain(maintenance),
        "multiplier": str(book.multiplier),
        "sma": "0",
        "accrued_fees": "0",
        "pending_transfer_in": "0",
        "trading_blocked": rules.trading_blocked,
        "account_blocked": False,
        "transfers_blocked": False,
        "trade_suspended_by_user": rules.trade_suspended_by_user,
        "shorting_enabled": rules.shorting_enabled,
        "created_at": rfc3339(created_ns),
        "balance_asof": market.finished_session.isoformat(),
        "options_approved_level": 0,
        "options_trading_level": 0,
    }


def last_equity(book: Book, market: Market) -> Decimal:
    """Return the equity at the last finished close, or the present one before the first close."""
    if not book.equity_by_session:
        return equity(book, market)
    return book.equity_by_session[max(book.equity_by_session)]


def asset_json(asset: Asset, rules: AccountRules, market: Market) -> dict[str, Any]:
    """Return an asset; tradable only while it has prices."""
    symbol = asset.symbol
    is_active = symbol not in rules.inactive_symbols
    return {
        "id": asset.id,
        "class": "us_equity",
        "exchange": exchange_of(symbol),
        "symbol": symbol,
        "name": asset.name,
        "status": "active" if is_active else "inactive",
        "tradable": is_active and symbol not in rules.halted_symbols and market.is_tradable(symbol),
        "marginable": True,
        "shortable": True,
        "easy_to_borrow": True,
        "fractionable": symbol not in rules.whole_share_symbols,
        "maintenance_margin_requirement": 30,
        "attributes": [],
    }


def position_json(
    symbol: str, position: Position, held_qty: Decimal, market: Market
) -> dict[str, Any]:
    """Return a position, valued at the latest price."""
    quote = market.quote(symbol)
    price = quote.price if quote else position.average_price
    yesterday = market.previous_close(symbol) or price
    value = position.qty * price
    gain = value - position.cost
    gain_today = position.qty * (price - yesterday)
    basis_today = position.qty * yesterday
    return {
        "asset_id": asset_id(symbol),
        "symbol": symbol,
        "exchange": exchange_of(symbol),
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": plain(position.qty),
        "qty_available": plain(position.qty - held_qty if position.qty > 0 else position.qty),
        "avg_entry_price": rounded(position.average_price),
        "side": "long" if position.qty > 0 else "short",
        "market_value": plain(value),
        "cost_basis": rounded(position.cost),
        "unrealized_pl": rounded(gain),
        "unrealized_plpc": _ratio(gain, abs(position.cost)),
        "unrealized_intraday_pl": rounded(gain_today),
        "unrealized_intraday_plpc": _ratio(gain_today, abs(basis_today)),
        "current_price": plain(price),
        "lastday_price": rounded(yesterday),
        "change_today": _ratio(price - yesterday, yesterday),
    }


def exchange_of(symbol: str) -> str:
    """Return a plausible listing exchange; nothing depends on it."""
    return "NASDAQ" if len(symbol) >= 4 and "." not in symbol else "NYSE"


def _when(at_ns: int | None) -> str | None:
    return None if at_ns is None else rfc3339(at_ns)


def _intent(order: Order) -> str:
    return "open" if order.side == "buy" else "close"


def _ratio(part: Decimal, whole: Decimal) -> str:
    return rounded(part / whole) if whole else "0"
