"""Asks the decider for a person's order: what stands in the log, and what its answer is."""

from __future__ import annotations

from tradetrail.cli import act_log
from tradetrail.cli.act_log import Question, Wording, open_log, symbol_spot
from tradetrail.events import Event
from tradetrail.events.generated import (
    DecisionDeclined,
    DecisionMade,
    OperatorAct,
    OperatorActed,
)
from tradetrail.manual_orders import Submission, read_act
from tradetrail.settings import SharedSettings

_READ = frozenset({OperatorActed.TYPE, DecisionMade.TYPE, DecisionDeclined.TYPE})
_WORDING = Wording("the order", "decider", "nothing was ordered", "ordering")

Answer = DecisionMade | DecisionDeclined


def ask(settings: SharedSettings, submission: Submission, wait_s: float) -> Answer:
    """Append ``submission`` unless the log holds it, and return the decider's answer, waited for up to ``wait_s``.

    Raises UsageError when its key stands for another order, Unreachable without an answer in time, Retryable while a
    server is away.
    """
    log = open_log(settings)
    spot = symbol_spot(log, submission.order.symbol)

    def used(act: OperatorActed) -> bool:
        return act.act is OperatorAct.MANUAL_ORDER and act.decision_id == submission.decision_id

    def contents(act: OperatorActed) -> str:
        try:
            return read_act(act, submission.order.symbol).order.text
        except Exception:  # noqa: BLE001 (a foreign act may say anything; it is only quoted)
            return act.arguments[:200]

    def answer_in(event: Event) -> Answer | None:
        """Return the event when it answers exactly this submission."""
        if not isinstance(event, DecisionMade | DecisionDeclined) or event.cause is None:
            return None
        return event if event.cause.event_id == submission.act_id else None

    question: Question[Answer] = Question(
        act_id=submission.act_id,
        key=submission.key,
        spot=spot,
        answered_at=spot,
        event=submission.act,
        first_use=used,
        contents=contents,
        answer_in=answer_in,
        types=_READ,
        wording=_WORDING,
    )
    return act_log.ask(log, question, wait_s)
