"""The steps for what people do: halts first, then acts on orders, then comparisons with the broker's book."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import structlog

from services.executor.election import Election
from services.executor.operators.acting import Actor
from services.executor.operators.cancelling import Canceller
from services.executor.operators.halting import Halter
from services.executor.operators.replies import Answers, Replies
from services.executor.reconciling.reconciler import Reconciler
from services.executor.recording.desk import Desk
from tradetrail.events.generated import AnswerOutcome, OperatorActed
from tradetrail.log.producer import Outgoing

# Comparisons that people wait for at once; more are refused.
RECONCILING_MAX = 20

log = structlog.get_logger(__name__)


class Operators:
    """Carries out and answers people's acts, as the active executor."""

    def __init__(
        self,
        desk: Desk,
        election: Election,
        answers: Answers,
        replies: Replies,
        reconciler: Reconciler,
    ) -> None:
        """Work at ``desk``; answer as this process is known in its group."""
        self._desk = desk
        self._answers = answers
        self._reconciler = reconciler
        self._reconciling: dict[str, OperatorActed] = {}
        self._member_id = election.consumer.memberid() or ""
        canceller = Canceller(desk)
        self._halter = Halter(desk, answers, self._member_id, replies, canceller)
        self._actor = Actor(desk, answers, self._member_id, canceller)

    def step(self) -> None:
        """Do what is due."""
        self._halter.step()
        self._actor.step()
        self._reconcile()

    def _reconcile(self) -> None:
        halts = self._desk.halts
        while halts.to_reconcile:
            _, act = halts.to_reconcile.popleft()
            if len(self._reconciling) >= RECONCILING_MAX:
                self._answer(act, AnswerOutcome.REFUSED, "too many are under way: ask later", {})
                continue
            self._reconciling[act.event_id] = act
            self._reconciler.ask(act.event_id)
        for act_id, act in list(self._reconciling.items()):
            counts = self._reconciler.result(act_id)
            if counts is None:
                continue
            del self._reconciling[act_id]
            told = {name: _plain(value) for name, value in asdict(counts).items()}
            text = "compared with the broker's book: " + ", ".join(
                f"{name} {value}" for name, value in told.items()
            )
            self._answer(act, AnswerOutcome.DONE, text, told)

    def _answer(
        self, act: OperatorActed, outcome: AnswerOutcome, text: str, details: dict[str, Any]
    ) -> None:
        desk = self._desk
        event = self._answers.answer(
            act, self._member_id, outcome, text, desk.now(), details=details
        )
        desk.outbox.put([Outgoing(desk.topics.account, self._answers.account, event)])
        desk.commit()
        log.info("answered", act=act.act, outcome=outcome, operator=act.operator, said=text)


def _plain(value: object) -> int | str:
    return value if isinstance(value, int) else str(value)
