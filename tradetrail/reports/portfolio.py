"""What is held: positions added up from our own fills, the account as the broker last told, and reservations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tradetrail.reports.account_answer import account_answer
from tradetrail.reports.export import Sheet
from tradetrail.reports.queries import rows, statement

Report = dict[str, Any]
COLUMNS = (
    *("section", "source", "symbol", "shares", "average_cost_usd", "cost_usd", "last_fill_at"),
    *("orders_filled", "cash_usd", "buying_power_usd", "portfolio_value_usd", "told_at"),
    *("api_call_id", "purpose", "topic", "partition", "offset", "appended_at", "execution_id"),
    *("decision_id", "account", "side", "quantity", "remaining_quantity", "order_type"),
    *("limit_price", "status", "is_unresolved", "submitted_at", "checked_value_usd"),
    *("reserved_usd", "reserved_by", "missing"),
)
# How many rows of fills are fetched at once; the positions they add up to are all that is kept.
_FETCHED_AT_ONCE = 2_000
_CENT, _NINE_PLACES = Decimal("0.01"), Decimal("0.000000001")


def portfolio_report(connection: psycopg.Connection[Any]) -> Report:
    """Return positions, account and reservations, each saying where it is from; ``missing`` names what is not known.

    Reads every order that filled something, a few thousand at a time. USD. A number that the database lacks is null.
    """
    # One state of the database for all of it.
    with connection.transaction():
        with connection.cursor(name="portfolio_fills", row_factory=dict_row) as cursor:
            cursor.itersize = _FETCHED_AT_ONCE
            cursor.execute(statement("portfolio_fills"))
            positions = positions_of(cursor)
        told, missing = account_answer(connection)
        orders = [_reserved(order) for order in rows(connection, "portfolio_orders")]
        strangers = rows(connection, "portfolio_strangers")[0]
    held = [position for position in positions if position["shares"] != 0]
    return {
        "totals": {
            "positions": len(held),
            "cost_usd": _sum(position["cost_usd"] for position in held),
            "open_orders": len(orders),
            "reserved_usd": _sum(order["reserved_usd"] for order in orders),
        },
        "missing": missing + _missing(held, orders, strangers),
        "broker": {"source": "broker", **told},
        "positions": held,
        "open_orders": orders,
    }


def positions_of(fills: Iterable[Report]) -> list[Report]:
    """Return one position for each symbol of ``fills``, which come by symbol and then as they filled.

    A buy adds its cost, a sell takes its part of it away, so the average stays. Cost and average are None from a fill
    without a price on, until nothing is held any more; and of a short position.
    """
    found: dict[str, Report] = {}
    for fill in fills:
        position = found.setdefault(
            fill["symbol"],
            {
                "source": "fills",
                "symbol": fill["symbol"],
                "shares": Decimal(0),
                "cost_usd": Decimal(0),
                "orders_filled": 0,
            },
        )
        _take(position, fill)
    for position in found.values():
        cost, shares = position["cost_usd"], position["shares"]
        known = cost is not None and shares > 0
        position["average_cost_usd"] = (
            (cost / shares).quantize(_NINE_PLACES, ROUND_HALF_UP) if known else None
        )
        position["cost_usd"] = cost.quantize(_CENT, ROUND_HALF_UP) if known else None
    return list(found.values())


def portfolio_sheet(report: Report) -> Sheet:
    """Return the account, the positions and the open orders, each row with its section's name, and what is missing."""
    return Sheet(COLUMNS, _flat(report))


def _take(position: Report, fill: Report) -> None:
    held, cost = position["shares"], position["cost_usd"]
    quantity, price = fill["quantity"], fill["price_usd"]
    position["orders_filled"] += 1
    position["last_fill_at"] = fill["filled_at"]
    if fill["side"] == "sell":
        position["shares"] = left = held - quantity
        if left <= 0:
            position["cost_usd"] = Decimal(0)
        elif cost is not None:
            position["cost_usd"] = cost * left / held
        return
    position["shares"] = now = held + quantity
    # What covers a short has no cost of its own.
    added = min(quantity, max(now, Decimal(0)))
    unknown = cost is None or (price is None and added > 0)
    position["cost_usd"] = None if unknown else cost + added * (price or 0)


def _reserved(order: Report) -> Report:
    """Return an open order with the buying power it takes until it is over: a sell takes none."""
    left, value = order["remaining_quantity"], order["checked_value_usd"]
    reserved, by = None, None
    if order["side"] == "sell":
        reserved, by = Decimal(0), "sell"
    elif order["limit_price"] is not None and left is not None:
        reserved, by = left * order["limit_price"], "limit_price"
    elif value is not None and left is not None and order["quantity"]:
        reserved, by = value * left / order["quantity"], "order_notional"
    amount = None if reserved is None else reserved.quantize(_CENT, ROUND_HALF_UP)
    return {"source": "orders", **order, "reserved_usd": amount, "reserved_by": by}


def _missing(held: list[Report], orders: list[Report], strangers: Report) -> list[str]:
    told = [
        f"positions.{position['symbol']}: {_why(position)}"
        for position in held
        if position["cost_usd"] is None
    ]
    told += [
        f"open_orders.{order['execution_id']}: neither a limit nor the checked value is recorded"
        for order in orders
        if order["reserved_usd"] is None
    ]
    if strangers["orders"]:
        told.append(
            f"positions: {strangers['orders']} filled orders found at the broker are not in the log as ours, and not "
            f"counted ({', '.join(strangers['symbols'])})"
        )
    return told


def _why(position: Report) -> str:
    if position["shares"] < 0:
        return "more was sold than the log has bought; what was held before it began is not known"
    return "a buy is recorded without its price, so the cost is not known"


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum; None as soon as one of them is not known."""
    total = Decimal(0)
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _flat(report: Report) -> Iterator[Report]:
    yield {"section": "broker", **report["broker"]}
    for section in ("positions", "open_orders"):
        for row in report[section]:
            yield {"section": section, **row}
    for text in report["missing"]:
        yield {"section": "missing", "missing": text}
