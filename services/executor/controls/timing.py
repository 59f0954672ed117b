"""Controls of time: market hours, staleness, duplicates, the rate of orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from services.executor.controls.question import Question
from services.executor.controls.result import ORDERS, SECONDS, Measure, Result, yes_or_no
from services.executor.settings import ExecutorSettings
from services.executor.state.book import Decision, equality
from tradetrail import sessions
from tradetrail.events.generated import Control, RiskCheck

_AGE = Measure(Control.STALE_DECISION, "the decision's age in open market", SECONDS)


def open_market_s(start: datetime, end: datetime) -> int:
    """Return how many whole seconds the market was open between two instants."""
    if end <= start:
        return 0
    first, last = sessions.new_york_date(start), sessions.new_york_date(end)
    total = 0.0
    for day in sessions.sessions(first, last):
        begin = max(start, sessions.session_open(day))
        finish = min(end, sessions.session_close(day))
        total += max(0.0, (finish - begin).total_seconds())
    return int(total)


def market_hours(q: Question) -> Result:
    """Refuse outside a session, unless orders then queue at the broker."""
    is_open = sessions.session_at(q.facts.now) is not None
    queues = q.facts.limits.outside_hours == "queue"
    why = "the market is open"
    if not is_open:
        why = f"the market is closed; orders then {'queue at the broker' if queues else 'wait'}"
    return yes_or_no(
        Control.MARKET_HOURS,
        passed=is_open or queues,
        observed=is_open,
        limit=not queues,
        why=why,
    )


def stale(q: Question) -> Result:
    """Refuse a decision that has waited too long."""
    return stale_of(q.decision, q.facts.limits, q.facts.now)


def stale_of(decision: Decision, limits: ExecutorSettings, now: datetime) -> Result:
    """Return the same of a decision alone."""
    age = Decimal(open_market_s(decision.decided_at, now))
    return _AGE.at_most(age, Decimal(limits.stale_after_open_s))


def duplicate(q: Question) -> Result:
    """Refuse what the same strategy ordered alike a moment ago."""
    window = Decimal(q.facts.limits.duplicate_window_s)
    last = q.facts.book.last_equal.get(equality(q.decision))
    apart = None
    if last is not None and last[1] != q.decision.decision_id:
        apart = Decimal(str((q.facts.now - last[0]).total_seconds()))
    passed = apart is None or apart >= window
    why = "no equal order was sent before"
    if apart is not None:
        why = f"the last equal order was {apart} s ago; within {window} s it is a duplicate"
    return Result(
        RiskCheck(
            control=Control.DUPLICATE_WINDOW,
            passed=passed,
            limit=window,
            observed=apart,
            unit=SECONDS,
            explanation=why,
        )
    )


def order_rate(q: Question) -> Result:
    """Refuse when the account begins orders too fast: against a runaway, so it never just waits."""
    limits = q.facts.limits
    begun = q.facts.book.reserved.begun_within(q.facts.now, limits.order_rate_window_s)
    what = f"the count of orders begun within {limits.order_rate_window_s} s, this one included,"
    measure = Measure(Control.ORDER_RATE, what, ORDERS)
    return measure.at_most(Decimal(begun + len(q.ahead) + 1), Decimal(limits.order_rate_max))
