"""The price collar: an order may not trade far beyond the last price, nor after the market moved far against it."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from services.executor.controls.question import LastPrice, Question
from services.executor.controls.result import NO_PRICE, PERCENT, SECONDS, Measure, Result
from services.executor.controls.timing import open_market_s
from tradetrail.events.generated import Control, OrderType, Side

_AGE = Measure(Control.PRICE_COLLAR, "the last price's age in open market", SECONDS)
_BEYOND = Measure(Control.PRICE_COLLAR, "the limit price beyond the last price", PERCENT)
_MOVED = Measure(
    Control.PRICE_COLLAR, "the move of the last price against the order since its decision", PERCENT
)
# Fine enough that rounding never hides a price beyond the collar.
_DIGITS = Decimal("0.000001")


def price_collar(q: Question) -> Result:
    """Refuse a price too far on the harmful side, and any price when the last one is unknown or too old."""
    limits, is_limit = q.facts.limits, q.decision.order_type is OrderType.LIMIT
    measure = _BEYOND if is_limit else _MOVED
    limit = limits.price_collar_limit_percent if is_limit else limits.price_collar_market_percent
    if q.last is None or q.last.price <= 0:
        return measure.untold(limit, NO_PRICE)
    age = Decimal(open_market_s(q.last.at, q.facts.now))
    if age > limits.price_age_open_s_max:
        return _AGE.at_most(age, Decimal(limits.price_age_open_s_max))
    harm = _beyond(q, q.last) if is_limit else _moved(q, q.last)
    if harm is None:
        lacking = "limit price" if is_limit else "price of its own market"
        return measure.untold(limit, f"the decision names no {lacking}")
    return measure.at_most(harm, limit)


def _beyond(q: Question, last: LastPrice) -> Decimal | None:
    """Return how far a buy's limit lies above the last price, or a sell's below; negative on the harmless side."""
    price = q.decision.limit_price
    return None if price is None else _percent(price - last.price, last.price, q.decision.side)


def _moved(q: Question, last: LastPrice) -> Decimal | None:
    """Return how much dearer a buy has become since the decision, or a sell cheaper; negative when in its favour."""
    decided = q.decision.price
    if decided is None or decided <= 0:
        return None
    return _percent(last.price - decided, decided, q.decision.side)


def _percent(difference: Decimal, base: Decimal, side: Side) -> Decimal:
    harm = difference if side is Side.BUY else -difference
    return (harm * 100 / base).quantize(_DIGITS, ROUND_CEILING)
