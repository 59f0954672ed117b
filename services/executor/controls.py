"""Pre-trade controls: each one a rule with its limit, what it observed, and the unit. Pure.

All are evaluated and recorded, passed or not; the first that fails, in this order, is the one that blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.executor.book import Book, Decision, equality
from services.executor.halts import Halts
from services.executor.settings import ExecutorSettings
from tradetrail import sessions
from tradetrail.events.generated import Control, OrderType, RiskCheck, Side

USD, SHARES, SECONDS, ORDERS, YES_NO = "USD", "shares", "seconds", "orders", "yes=1"
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Account:
    """The account as the broker just told it; ``position_price`` is its price of the symbol, if it holds any."""

    buying_power_usd: Decimal
    position_qty: Decimal
    position_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Question:
    """All that a control may look at."""

    decision: Decision
    account: Account
    book: Book
    halts: Halts
    limits: ExecutorSettings
    now: datetime

    @property
    def price(self) -> Decimal | None:
        """Return the price an order is valued at, USD a share; None when nothing is known."""
        if self.decision.order_type is OrderType.LIMIT:
            return self.decision.limit_price
        return self.account.position_price or self.decision.price

    @property
    def notional_usd(self) -> Decimal | None:
        """Return the order's value, to the cent."""
        if self.price is None:
            return None
        return (self.price * self.decision.quantity).quantize(_CENT)


def check_all(question: Question) -> tuple[RiskCheck, ...]:
    """Return the result of every control, in order."""
    return tuple(control(question) for control in _CONTROLS)


def first_failed(checks: tuple[RiskCheck, ...]) -> RiskCheck | None:
    """Return the control that blocks, if one does."""
    return next((check for check in checks if not check.passed), None)


def recheck(
    decision: Decision, halts: Halts, limits: ExecutorSettings, now: datetime
) -> RiskCheck | None:
    """Return what forbids sending an order again: a halt or staleness; None when it may go."""
    for check in (_halt(decision, halts), _stale(decision, limits, now)):
        if not check.passed:
            return check
    return None


def open_market_s(start: datetime, end: datetime) -> int:
    """Return how many seconds the market was open between two instants."""
    if end <= start:
        return 0
    first, last = sessions.new_york_date(start), sessions.new_york_date(end)
    total = 0.0
    for day in sessions.sessions(first, last):
        begin, finish = (
            max(start, sessions.session_open(day)),
            min(end, sessions.session_close(day)),
        )
        total += max(0.0, (finish - begin).total_seconds())
    return int(total)


def _at_most(
    control: Control, what: str, observed: Decimal | None, limit: Decimal, unit: str
) -> RiskCheck:
    if observed is None:
        return RiskCheck(
            control=control,
            passed=False,
            limit=limit,
            observed=None,
            unit=unit,
            explanation=f"{what} can't be told: no price of the symbol is known",
        )
    passed = observed <= limit
    return RiskCheck(
        control=control,
        passed=passed,
        limit=limit,
        observed=observed,
        unit=unit,
        explanation=f"{what} is {observed} {unit}, {'within' if passed else 'above'} the limit of {limit} {unit}",
    )


def _halt_control(q: Question) -> RiskCheck:
    return _halt(q.decision, q.halts)


def _halt(decision: Decision, halts: Halts) -> RiskCheck:
    scope = halts.stops(decision.symbol, decision.strategy_name)
    return RiskCheck(
        control=Control.HALT,
        passed=scope is None,
        limit=Decimal(0),
        observed=Decimal(0 if scope is None else 1),
        unit=YES_NO,
        explanation="no halt is in force" if scope is None else f"a halt of {scope} is in force",
    )


def _market_hours(q: Question) -> RiskCheck:
    is_open = sessions.session_at(q.now) is not None
    queues = q.limits.outside_hours == "queue"
    return RiskCheck(
        control=Control.MARKET_HOURS,
        passed=is_open or queues,
        limit=Decimal(0 if queues else 1),
        observed=Decimal(is_open),
        unit=YES_NO,
        explanation="the market is open"
        if is_open
        else f"the market is closed; orders then {'queue at the broker' if queues else 'wait'}",
    )


def _restricted(q: Question) -> RiskCheck:
    listed = q.decision.symbol in q.limits.restricted_symbols
    return RiskCheck(
        control=Control.RESTRICTED_LIST,
        passed=not listed,
        limit=Decimal(0),
        observed=Decimal(listed),
        unit=YES_NO,
        explanation=f"{q.decision.symbol} is {'' if listed else 'not '}on the restricted list",
    )


def _stale_control(q: Question) -> RiskCheck:
    return _stale(q.decision, q.limits, q.now)


def _stale(decision: Decision, limits: ExecutorSettings, now: datetime) -> RiskCheck:
    age = Decimal(open_market_s(decision.decided_at, now))
    limit = Decimal(limits.stale_after_open_s)
    return _at_most(
        Control.STALE_DECISION, "the decision's age in open market", age, limit, SECONDS
    )


def _duplicate(q: Question) -> RiskCheck:
    last = q.book.last_equal.get(equality(q.decision))
    window = Decimal(q.limits.duplicate_window_s)
    apart = None
    if last is not None and last[1] != q.decision.decision_id:
        apart = Decimal(int((q.now - last[0]).total_seconds()))
    is_duplicate = apart is not None and apart < window
    return RiskCheck(
        control=Control.DUPLICATE_WINDOW,
        passed=not is_duplicate,
        limit=window,
        observed=apart,
        unit=SECONDS,
        explanation="no equal order was sent before"
        if apart is None
        else f"the last equal order was {apart} s ago; within {window} s it is a duplicate",
    )


def _order_size(q: Question) -> RiskCheck:
    return _at_most(
        Control.ORDER_SIZE,
        "the order's size",
        q.decision.quantity,
        q.limits.order_size_shares_max,
        SHARES,
    )


def _order_notional(q: Question) -> RiskCheck:
    limit = q.limits.order_notional_usd_max
    return _at_most(Control.ORDER_NOTIONAL, "the order's value", q.notional_usd, limit, USD)


def _daily_count(q: Question) -> RiskCheck:
    count = Decimal(q.book.day_use(q.now).order_count + 1)
    limit = Decimal(q.limits.daily_order_count_max)
    return _at_most(
        Control.DAILY_ORDER_COUNT, "the day's count with this order", count, limit, ORDERS
    )


def _daily_notional(q: Question) -> RiskCheck:
    notional = q.notional_usd
    total = None if notional is None else q.book.day_use(q.now).notional_usd + notional
    limit = q.limits.daily_notional_usd_max
    return _at_most(Control.DAILY_NOTIONAL, "the day's value with this order", total, limit, USD)


def _position_limit(q: Question) -> RiskCheck:
    if q.decision.side is Side.SELL:
        # Never a short: what is sold must be held.
        return _at_most(
            Control.POSITION_LIMIT,
            "the quantity sold of the position held",
            q.decision.quantity,
            max(q.account.position_qty, Decimal(0)),
            SHARES,
        )
    after = q.account.position_qty + q.decision.quantity
    value = None if q.price is None else (after * q.price).quantize(_CENT)
    limit = q.limits.position_usd_max
    return _at_most(Control.POSITION_LIMIT, "the position after the order", value, limit, USD)


def _buying_power(q: Question) -> RiskCheck:
    needed: Decimal | None = Decimal(0)
    if q.decision.side is Side.BUY:
        margin = 1 + q.limits.buying_power_margin_percent / 100
        needed = None if q.notional_usd is None else (q.notional_usd * margin).quantize(_CENT)
    return _at_most(
        Control.BUYING_POWER, "the buying power needed", needed, q.account.buying_power_usd, USD
    )


_CONTROLS: tuple[Callable[[Question], RiskCheck], ...] = (
    _halt_control,
    _restricted,
    _market_hours,
    _stale_control,
    _duplicate,
    _order_size,
    _order_notional,
    _daily_count,
    _daily_notional,
    _position_limit,
    _buying_power,
)
