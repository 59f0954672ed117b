"""What this process answered to acts of the control topic, and how an answer is made. Shared by standby and active."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradetrail.events.generated import (
    AnswerOutcome,
    Cause,
    DecisionStatus,
    OperatorActed,
    OperatorAnswered,
)
from tradetrail.ids import derive_id
from tradetrail.log.stamp import Stamp
from tradetrail.operator_acts import canonical


@dataclass(slots=True)
class Replies:
    """How far this process has answered the control topic: every act before ``through`` (an offset) is done with.

    It begins at the end the topic had before this process joined its group: whoever asked before that asked others.
    """

    through: int = 0

    def is_answered(self, offset: int) -> bool:
        """Tell whether the act at ``offset`` needs no answer of this process any more."""
        return offset < self.through

    def answered(self, offset: int) -> None:
        """Take note that every act up to ``offset``, inclusive, has its answer."""
        self.through = max(self.through, offset + 1)


@dataclass(frozen=True, slots=True)
class Answers:
    """Makes answers for one account."""

    stamp: Stamp
    account: str

    def answer(
        self,
        act: OperatorActed,
        member_id: str,
        outcome: AnswerOutcome,
        explanation: str,
        now: datetime,
        *,
        about: str = "",
        is_active: bool = True,
        cause: Cause | None = None,
        details: dict[str, Any] | None = None,
        decision_id: str | None = None,
        execution_id: str | None = None,
        decision_status: DecisionStatus | None = None,
    ) -> OperatorAnswered:
        """Return an answer; ``about`` tells those of several members or orders to one act apart."""
        return OperatorAnswered(
            event_id=str(derive_id("operator-answered", act.event_id, about)),
            **self.stamp.envelope(now),
            cause=cause,
            symbol=act.symbol,
            story_id=decision_id,
            act_id=act.event_id,
            act=act.act,
            account=self.account,
            member_id=member_id,
            is_active=is_active,
            outcome=outcome,
            explanation=explanation,
            details=None if details is None else canonical(details),
            decision_id=decision_id,
            execution_id=execution_id,
            decision_status=decision_status,
        )
