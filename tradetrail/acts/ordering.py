"""A person's buy or sell: asked of the decider, which answers it as any signal."""

from __future__ import annotations

from typing import Any

from tradetrail.acts import asking
from tradetrail.acts.asking import Question, Wording
from tradetrail.acts.log import Log, open_log, symbol_spot
from tradetrail.events import Event
from tradetrail.events.generated import (
    DecisionDeclined,
    DecisionMade,
    OperatorAct,
    OperatorActed,
)
from tradetrail.manual_orders import Submission, manual_order, read_act, submission
from tradetrail.person import Told, made_by
from tradetrail.settings import SharedSettings
from tradetrail.symbols import check_symbol

_READ = frozenset({OperatorActed.TYPE, DecisionMade.TYPE, DecisionDeclined.TYPE})
_WORDING = Wording("the order", "decider", "nothing was ordered", "ordering")

Answer = DecisionMade | DecisionDeclined


def order(
    side: str, symbol: str, quantity: str, limit_price: str | None, time_in_force: str, told: Told
) -> Submission:
    """Return an order from words as typed. Raises UsageError with what is wrong with it."""

    def submitted(who: str, why: str, key: str) -> Submission:
        wanted = manual_order(check_symbol(symbol), side, quantity, limit_price, time_in_force)
        return submission(wanted, who, why, key)

    return made_by(told, submitted)


def ask(settings: SharedSettings, submission: Submission, wait_s: float) -> Answer:
    """Append ``submission`` unless the log holds it, and return the decider's answer, waited for up to ``wait_s``.

    Raises UsageError when its key stands for another order, Unreachable without an answer in time, Retryable while a
    server is away.
    """
    log = open_log(settings)
    return asking.ask(log, question(log, submission), wait_s)


def question(log: Log, submission: Submission) -> Question[Answer]:
    """Return what is asked of the decider. Raises Retryable or Unreachable while Kafka is away."""
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

    return Question(
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


def report(answer: Answer, asked: Submission) -> dict[str, Any]:
    """Return an answer by name: what was decided about which order, whose, and what it met."""
    made = answer if isinstance(answer, DecisionMade) else None
    order, market = asked.order, answer.rationale.market_context
    portfolio = answer.rationale.portfolio_context
    report: dict[str, Any] = {
        "answer": "made" if made else "declined",
        "decision_id": answer.decision_id,
        "key": asked.key,
        "symbol": answer.symbol,
        "side": str(order.side),
        "quantity": made.quantity if made else order.quantity,
        "order_type": str(made.order_type if made else order.order_type),
        "limit_price": made.limit_price if made else order.limit_price,
        "time_in_force": str(made.time_in_force if made else order.time_in_force),
        "made_by": asked.operator,
        "why": asked.why,
        "created_at": answer.occurred_at,
        "current_price": market.current_price if market else None,
        "existing_position": portfolio.existing_position if portfolio else None,
    }
    if not isinstance(answer, DecisionMade):
        report |= {"reason": str(answer.reason), "reason_text": answer.reason_text}
    report["notes"] = [rule.explanation for rule in answer.rationale.rules if not rule.passed]
    return report
