"""Limits of the account: what a day may use, what a position may be worth, what the buying power pays.

Each counts what open orders have reserved and what goes before this order in its batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_UP, Decimal

from services.executor.controls.question import Question
from services.executor.controls.result import NO_PRICE, ORDERS, SHARES, USD, Measure, Result
from services.executor.state.entries import ZERO
from services.executor.state.reservations import Reservation
from tradetrail.events.generated import Control, Side
from tradetrail.sessions import new_york_date

_COUNT = Measure(Control.DAILY_ORDER_COUNT, "the day's count with this order", ORDERS)
_DAY = Measure(Control.DAILY_NOTIONAL, "the day's value with this order", USD)
_SOLD = Measure(Control.POSITION_LIMIT, "the quantity sold of the position held", SHARES)
_POSITION = Measure(Control.POSITION_LIMIT, "the position after the order", USD)
_NEEDED = Measure(Control.BUYING_POWER, "the buying power needed", USD)
_CENT = Decimal("0.01")


def daily_count(q: Question) -> Result:
    """Refuse one order more than a New York day may have. An order that was never sent gives its place back."""
    now, reserved = q.facts.now, q.facts.book.reserved
    today = new_york_date(now)
    under_way = sum(each.begun_on == today for each in reserved.unsettled()) + len(q.ahead)
    count = reserved.day_use(now).order_count + len(q.ahead) + 1
    limit = q.facts.limits.daily_order_count_max
    return _COUNT.at_most(Decimal(count), Decimal(limit), Decimal(under_way))


def daily_notional(q: Question) -> Result:
    """Refuse more value than a New York day may have. What was not filled when an order ends is given back."""
    limit = q.facts.limits.daily_notional_usd_max
    if q.notional_usd is None:
        return _DAY.untold(limit, NO_PRICE)
    now, reserved = q.facts.now, q.facts.book.reserved
    today, look = new_york_date(now), q.facts.account.look
    ahead = sum((each.value_usd for each in q.ahead), ZERO)
    under_way = ahead + sum(
        (e.remaining_usd for e in reserved.open() if e.begun_on == today and e.is_moving(look)),
        ZERO,
    )
    total = reserved.day_use(now).notional_usd + ahead + q.notional_usd
    return _DAY.at_most(total, limit, under_way)


def position_limit(q: Question) -> Result:
    """Refuse a position worth more than one may be, and a sell of what is not held: never a short."""
    held = q.facts.account.positions.get(q.decision.symbol, ZERO)
    look = q.facts.account.look
    others = list(_unseen(q))
    if q.decision.side is Side.SELL:
        taken = sum((each.unseen_qty(look) for each in others), ZERO)
        moving = sum((e.unseen_qty(look) for e in others if e.is_moving(look)), ZERO)
        return _SOLD.at_most(q.decision.quantity + taken, max(held, ZERO), moving)
    limit = q.facts.limits.position_usd_max
    if q.notional_usd is None or q.last is None:
        return _POSITION.untold(limit, NO_PRICE)
    added = sum((each.unseen_usd(look) for each in others), ZERO)
    moving = sum((each.unseen_usd(look) for each in others if each.is_moving(look)), ZERO)
    value = (held * q.last.price).quantize(_CENT, ROUND_UP)
    return _POSITION.at_most(value + added + q.notional_usd, limit, moving)


def buying_power(q: Question) -> Result:
    """Refuse a buy that the account can't pay. The broker's figure holds its own open orders, not those under way."""
    told = q.facts.account.buying_power_usd
    if q.decision.side is not Side.BUY:
        return _NEEDED.at_most(ZERO, max(told, ZERO))
    if q.notional_usd is None:
        return _NEEDED.untold(told, NO_PRICE)
    margin = 1 + q.facts.limits.buying_power_margin_percent / 100
    reserved = q.facts.book.reserved.not_in_buying_power(q.facts.account.look)
    in_flight = sum((e.kept_usd for e in reserved if e.execution_id != q.replaces), ZERO)
    in_flight += sum((each.value_usd for each in q.ahead if each.side is Side.BUY), ZERO)
    under_way = (in_flight * margin).quantize(_CENT, ROUND_UP)
    needed = (q.notional_usd * margin).quantize(_CENT, ROUND_UP)
    return _NEEDED.at_most(needed + under_way, told, under_way)


def _unseen(q: Question) -> Iterator[Reservation]:
    """Yield the orders of the same symbol and side whose shares the position doesn't show yet."""
    decision, facts = q.decision, q.facts
    for each in facts.book.reserved.not_in_position(
        decision.symbol, decision.side, facts.account.look
    ):
        if each.execution_id != q.replaces:
            yield each
    for each in q.ahead:
        if each.symbol == decision.symbol and each.side is decision.side:
            yield each
