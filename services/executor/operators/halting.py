"""The step of the active executor for halts: acknowledged once nothing they stop is under way any more.

A halt is in force from the moment it is read, which is before each intent; the answer says that what was begun before
it has a recorded outcome, or is unknown and stays so.
"""

from __future__ import annotations

import time
from functools import partial

import structlog

from services.executor.operators.cancelling import Canceller
from services.executor.operators.replies import Answers, Replies
from services.executor.recording.desk import Desk
from services.executor.state.book import Execution
from services.executor.state.halts import Halt
from tradetrail.events.generated import (
    AnswerOutcome,
    OperatorAct,
    OperatorActed,
    OrderStatus,
)
from tradetrail.log.producer import Outgoing

# An idle executor looks for acts this often; one that sends reads the control topic before each intent anyway.
READ_EVERY_S = 0.05
# An answer names so many unknown orders, and counts the rest.
NAMED_MAX = 20

log = structlog.get_logger(__name__)


class Halter:
    """Reads the control topic, cancels what is open under a halt that asks for it, and answers."""

    def __init__(
        self,
        desk: Desk,
        answers: Answers,
        member_id: str,
        replies: Replies,
        canceller: Canceller,
    ) -> None:
        """Work at ``desk`` and answer as ``member_id``."""
        self._desk = desk
        self._answers = answers
        self._member_id = member_id
        self._replies = replies
        self._canceller = canceller
        self._read_at = 0.0

    def step(self) -> None:
        """Read, cancel, answer."""
        desk = self._desk
        if time.monotonic() - self._read_at >= READ_EVERY_S:
            desk.read_halts()
            self._read_at = time.monotonic()
        desk.halts.drop(self._replies.is_answered)
        for halt in desk.halts.cancelling():
            self._cancel_open(halt)
        while desk.halts.asked:
            offset, act = desk.halts.asked[0]
            if act.act is OperatorAct.HALT and self._in_flight(act):
                return
            self._answer(offset, act)

    def _covered(self, scope: str, execution: Execution) -> bool:
        decision = self._desk.book.decisions.get(execution.decision_id)
        # An execution whose decision isn't known may be of any strategy.
        strategy = "" if decision is None else decision.strategy_name
        told = Halt(scope, "", "", "", execution.began_at, cancels_open=False)
        return told.covers(execution.symbol, strategy) or (
            decision is None and scope.startswith("strategy:")
        )

    def _in_flight(self, act: OperatorActed) -> bool:
        """Tell whether an order that the halt concerns was begun and has no recorded outcome, not even unknown."""
        desk = self._desk
        return any(
            each.status is OrderStatus.SUBMITTING
            and each.execution_id not in desk.not_sent
            and self._covered(act.scope, each)
            for each in desk.book.unsettled()
        )

    def _cancel_open(self, halt: Halt) -> None:
        """Ask the broker to cancel what is open under a halt: recorded for each order before it is asked."""
        desk = self._desk
        for execution in desk.book.followed():
            if not self._covered(halt.scope, execution):
                continue
            if execution.cancelled_by is None:
                self._announce(halt, execution)
            else:
                self._canceller.step(execution)
        desk.commit()

    def _announce(self, halt: Halt, execution: Execution) -> None:
        desk = self._desk
        act = OperatorActed(
            event_id=halt.act_id,
            **self._answers.stamp.envelope(halt.since),
            symbol=execution.symbol,
            act=OperatorAct.HALT,
            operator=halt.operator,
            why=halt.why,
            scope=halt.scope,
            arguments="{}",
        )
        desk.outbox.make_room(execution.decision_id)
        event = self._answers.answer(
            act,
            self._member_id,
            AnswerOutcome.DONE,
            f"the broker is asked to cancel it, by the halt of {halt.scope}",
            desk.now(),
            about=execution.execution_id,
            decision_id=execution.decision_id,
            execution_id=execution.execution_id,
        )
        desk.outbox.put(desk.on_symbol(execution.symbol, event), execution.decision_id)

    def _answer(self, offset: int, act: OperatorActed) -> None:
        desk = self._desk
        covered = [each for each in desk.book.open.values() if self._covered(act.scope, each)]
        unknown = [each for each in covered if each.status is OrderStatus.UNKNOWN]
        cancelling = [each for each in covered if each.cancelled_by is not None]
        text = "in force" if act.act is OperatorAct.HALT else "lifted"
        if act.act is OperatorAct.HALT:
            text = "nothing of it is under way any more"
            if act.scope not in desk.halts.scopes:
                text = "lifted again since"
            if unknown:
                text += f"; {len(unknown)} unknown order(s) are looked up and not sent again"
            if cancelling:
                text += f"; the broker is asked to cancel {len(cancelling)} open order(s)"
        event = self._answers.answer(
            act,
            self._member_id,
            AnswerOutcome.ACKNOWLEDGED,
            text,
            desk.now(),
            about=self._member_id,
            details={
                "in_flight": 0,
                "unknown": [f"{e.symbol} {e.execution_id}" for e in unknown[:NAMED_MAX]],
                "unknown_count": len(unknown),
                "cancelling": len(cancelling),
                "halted": sorted(desk.halts.scopes),
            },
        )
        account = self._answers.account
        desk.outbox.put(
            [Outgoing(desk.topics.account, account, event)],
            None,
            partial(self._replies.answered, offset),
        )
        desk.commit()
        desk.halts.drop(self._replies.is_answered)
        log.warning(str(act.act), scope=act.scope, operator=act.operator, why=act.why, said=text)
