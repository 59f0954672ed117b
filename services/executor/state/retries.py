"""Another try of a failed order: opt-in, for few reasons, a new attempt of the same decision. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.executor.state.entries import Decision, Execution
from services.executor.state.statuses import RETRIED
from tradetrail.events.generated import FailureReason


@dataclass(frozen=True, slots=True)
class Retries:
    """At most ``count_max`` further tries of a decision, each ``after_s`` seconds after the failure before it."""

    count_max: int
    after_s: float

    def has_left(self, decision: Decision) -> bool:
        """Tell whether the decision may be tried again."""
        return sum(not each.is_replacement for each in decision.attempts) <= self.count_max


NEVER = Retries(0, 5.0)


def may_follow(decision: Decision, failed: Execution, failure: FailureReason | None) -> bool:
    """Tell whether a try may follow a failure at all: for these reasons only, and never when anything was filled."""
    return (
        failure in RETRIED
        and not failed.is_replacement
        and not any(each.filled_qty_total or each.cancelled_by for each in decision.attempts)
    )
