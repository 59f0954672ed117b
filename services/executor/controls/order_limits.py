"""Limits of one order by itself: its size and its value."""

from __future__ import annotations

from services.executor.controls.question import Question
from services.executor.controls.result import NO_PRICE, SHARES, USD, Measure, Result
from tradetrail.events.generated import Control

_SIZE = Measure(Control.ORDER_SIZE, "the order's size", SHARES)
_VALUE = Measure(Control.ORDER_NOTIONAL, "the order's value", USD)


def order_size(q: Question) -> Result:
    """Refuse more shares than an order may have."""
    return _SIZE.at_most(q.decision.quantity, q.facts.limits.order_size_shares_max)


def order_notional(q: Question) -> Result:
    """Refuse an order worth more than one may be."""
    limit = q.facts.limits.order_notional_usd_max
    if q.notional_usd is None:
        return _VALUE.untold(limit, NO_PRICE)
    return _VALUE.at_most(q.notional_usd, limit)
