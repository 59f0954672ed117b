"""All controls over a batch of decisions, each of which sees those before it as reserved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from services.executor.controls.lists import halt_of
from services.executor.controls.question import Facts, Question
from services.executor.controls.rules import RULES
from services.executor.controls.timing import stale_of
from services.executor.settings import ExecutorSettings
from services.executor.state.book import Decision
from services.executor.state.entries import ZERO
from services.executor.state.halts import Halts
from services.executor.state.reservations import Reservation
from tradetrail.events.generated import RiskCheck
from tradetrail.sessions import new_york_date


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the controls say of a decision: it may go, it is blocked by one, or it waits for what is under way."""

    decision: Decision
    checks: tuple[RiskCheck, ...]
    blocked_by: RiskCheck | None
    waits_for: RiskCheck | None

    @property
    def may_go(self) -> bool:
        """Return whether every control passed."""
        return self.blocked_by is None and self.waits_for is None


def check_batch(decisions: Iterable[Decision], facts: Facts) -> Iterator[Verdict]:
    """Yield the verdict on each decision, one of a symbol, in their order: the strongest first takes what there is.

    Nothing may be folded into the book meanwhile. What waits keeps its place: those after it see it as reserved too, so
    that no weaker signal takes its money. It need not be checked again before ``Reservations.moment`` has passed
    that of the account's look.
    """
    ahead: tuple[Reservation, ...] = ()
    for decision in decisions:
        question = Question(decision, facts, ahead)
        verdict = judge(question)
        yield verdict
        if verdict.blocked_by is None:
            ahead += (_tentative(question),)


def judge(question: Question) -> Verdict:
    """Return the verdict on one decision."""
    results = [rule.check(question) for rule in RULES]
    failed = [each for each in results if not each.check.passed]
    blocking = [each.check for each in failed if not each.only_in_flight]
    waiting = [each.check for each in failed] if failed and not blocking else []
    return Verdict(
        decision=question.decision,
        checks=tuple(each.check for each in results),
        blocked_by=next(iter(blocking), None),
        waits_for=next(iter(waiting), None),
    )


def check_all(question: Question) -> tuple[RiskCheck, ...]:
    """Return the result of every control, in order."""
    return judge(question).checks


def first_failed(checks: tuple[RiskCheck, ...]) -> RiskCheck | None:
    """Return the first control that fails, if one does."""
    return next((check for check in checks if not check.passed), None)


def recheck(
    decision: Decision, halts: Halts, limits: ExecutorSettings, now: datetime
) -> RiskCheck | None:
    """Return what forbids sending an order again: a halt or staleness; None when it may go."""
    for result in (halt_of(decision, halts), stale_of(decision, limits, now)):
        if not result.check.passed:
            return result.check
    return None


def _tentative(question: Question) -> Reservation:
    """Return what a decision that may go, or waits to, will reserve."""
    decision = question.decision
    return Reservation(
        execution_id=decision.decision_id,
        symbol=decision.symbol,
        side=decision.side,
        order_type=decision.order_type,
        quantity=decision.quantity,
        value_usd=question.notional_usd or ZERO,
        begun_on=new_york_date(question.facts.now),
    )
