"""What is told of an act over HTTP: what the command tells as JSON, and where the act stands in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tradetrail.acts import halts, order_acts, ordering
from tradetrail.acts.asking import Recorded
from tradetrail.acts.halts import Announced
from tradetrail.events.generated import (
    AnswerOutcome,
    DecisionMade,
    OperatorAct,
    OperatorActed,
    OperatorAnswered,
)
from tradetrail.manual_orders import Submission
from tradetrail.operator_acts import Asked
from tradetrail.requeues import EventPlace

_NOT_YET = (
    "It stands in the log and will be answered when {who} runs; the same request again, with the same "
    "key, tells."
)
_NONE_RUNS = "No executor runs; it is recorded, and in force for the next start."
_OVERTAKEN = "A later act ended it; to act again, use another key."
_SILENT = {
    OperatorAct.HALT: "It is recorded and stops whatever reads the log, but an order that a silent executor had begun "
    "before may still be on its way: end that process, and halt again under another key.",
    OperatorAct.RESUME: "It is recorded; an executor that comes back reads it before it sends anything.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an act. ``refusal``: why nothing was done, once somebody answered so."""

    content: dict[str, Any]
    is_repeated: bool
    is_awaited: bool = False
    refusal: str | None = None


def told_of_order(asked: Submission, recorded: Recorded[ordering.Answer]) -> Told:
    """Return what came of a person's buy or sell."""
    content = {
        "act_id": asked.act_id,
        "act": OperatorAct.MANUAL_ORDER.value,
        "scope": asked.order.symbol,
        "acted_by": asked.operator,
        **_standing(recorded.place, recorded.is_repeated),
        "look_at": _look_at(OperatorAct.MANUAL_ORDER, asked.operator, asked.order.symbol),
    }
    answer = recorded.answer
    if answer is None:
        return _awaited(
            content | {"key": asked.key, "decision_id": asked.decision_id, "why": asked.why},
            "a decider",
            recorded.is_repeated,
        )
    refusal = None if isinstance(answer, DecisionMade) else answer.reason_text
    return Told(content | ordering.report(answer, asked), recorded.is_repeated, refusal=refusal)


def told_of_order_act(act: Asked, recorded: Recorded[OperatorAnswered]) -> Told:
    """Return what came of an act on an order."""
    content = {
        "act_id": act.act_id,
        "scope": act.scope,
        **_standing(recorded.place, recorded.is_repeated),
        "look_at": _look_at(act.act, act.operator, act.symbol),
    }
    answer = recorded.answer
    if answer is None:
        about = {
            "act": act.act.value,
            "symbol": act.symbol,
            "decision_id": act.decision_id,
            "execution_id": act.execution_id,
            "key": act.key,
            "acted_by": act.operator,
            "why": act.why,
        }
        return _awaited(content | about, "an executor", recorded.is_repeated)
    refusal = None if answer.outcome is AnswerOutcome.DONE else answer.explanation
    return Told(content | order_acts.report(answer, act), recorded.is_repeated, refusal=refusal)


def told_of_halt(act: Asked, announced: Announced) -> Told:
    """Return what the executors made of a halt or a resume."""
    later = announced.overtaken_by
    content = {
        "act_id": act.act_id,
        **halts.report(act, announced.heard),
        "complete": announced.is_complete,
        **_standing(announced.place, announced.is_repeated),
        "overtaken_by": None if later is None else _later(later),
        "look_at": _look_at(act.act, act.operator, None),
        "note": None,
    }
    if later is not None:
        content["note"] = _OVERTAKEN
    elif not announced.is_complete:
        content["note"] = _SILENT[act.act]
    elif not announced.heard:
        content["note"] = _NONE_RUNS
    return Told(content, announced.is_repeated, is_awaited=not announced.is_complete)


def _awaited(content: dict[str, Any], who: str, is_repeated: bool) -> Told:
    content |= {"answer": None, "note": _NOT_YET.format(who=who)}
    return Told(content, is_repeated, is_awaited=True)


def _standing(place: EventPlace | None, is_repeated: bool) -> dict[str, Any]:
    """Return where the act stands, None for one so old that only its answer was found."""
    named = (
        None if place is None else dict(zip(("topic", "partition", "offset"), place, strict=True))
    )
    return {"position": named, "repeated": is_repeated}


def _later(act: OperatorActed) -> dict[str, Any]:
    return {
        "act_id": act.event_id,
        "act": act.act.value,
        "scope": act.scope,
        "acted_by": act.operator,
        "why": act.why,
        "acted_at": act.occurred_at,
    }


def _look_at(act: OperatorAct, operator: str, symbol: str | None) -> str:
    """Return the address of the report in which the act stands first, or near the top."""
    chosen = {"operator": operator, "act": act.value, "symbol": symbol}
    told = {name: value for name, value in chosen.items() if value is not None}
    return f"/reports/operator-acts?{urlencode(told)}"
