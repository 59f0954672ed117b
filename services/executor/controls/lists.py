"""Controls that ask whether a name is on a list: halts in force, restricted symbols."""

from __future__ import annotations

from services.executor.controls.question import Question
from services.executor.controls.result import Result, yes_or_no
from services.executor.state.book import Decision
from services.executor.state.halts import Halts
from tradetrail.events.generated import Control


def halt(q: Question) -> Result:
    """Refuse while a halt of everything, the symbol or the strategy is in force."""
    return halt_of(q.decision, q.facts.halts)


def halt_of(decision: Decision, halts: Halts) -> Result:
    """Return the same of a decision alone."""
    scope = halts.stops(decision.symbol, decision.strategy_name)
    why = "no halt is in force" if scope is None else f"a halt of {scope} is in force"
    is_halted = scope is not None
    return yes_or_no(Control.HALT, passed=not is_halted, observed=is_halted, limit=False, why=why)


def restricted(q: Question) -> Result:
    """Refuse a symbol on the restricted list."""
    symbol = q.decision.symbol
    is_listed = symbol in q.facts.limits.restricted_symbols
    why = f"{symbol} is {'' if is_listed else 'not '}on the restricted list"
    return yes_or_no(
        Control.RESTRICTED_LIST, passed=not is_listed, observed=is_listed, limit=False, why=why
    )
