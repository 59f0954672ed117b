"""Acts on orders, and the comparison with the broker's book: asked of the account's executor."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from tradetrail.acts.asking import Question, Wording
from tradetrail.acts.find_order import Found
from tradetrail.acts.log import Log, Spot, symbol_spot
from tradetrail.errors import UsageError
from tradetrail.events import Event
from tradetrail.events.generated import OperatorAct, OperatorActed, OperatorAnswered
from tradetrail.operator_acts import (
    EVERYTHING,
    Asked,
    Replacement,
    Resolution,
    asked,
    replacement_arguments,
    resolution_arguments,
)
from tradetrail.person import Told, made_by
from tradetrail.symbols import check_symbol

ID_LENGTH_MAX = 100
UNDONE = "nothing was asked"

_TYPES = frozenset({OperatorActed.TYPE, OperatorAnswered.TYPE})
_NOUNS = {
    OperatorAct.CANCEL_ORDER: "cancellation",
    OperatorAct.REPLACE_ORDER: "replacement",
    OperatorAct.RESOLVE_ORDER: "settlement",
    OperatorAct.RECONCILE: "reconciliation",
}


def cancel(wanted: str, told: Told) -> Asked:
    """Return the act of cancelling a decision or its open order. Raises UsageError with what is wrong with it."""
    return _asked(OperatorAct.CANCEL_ORDER, wanted, told, {})


def replace_order(wanted: str, change: Replacement, told: Told) -> Asked:
    """Return the act of replacing an open order. Raises UsageError with what is wrong with it."""
    return _asked(OperatorAct.REPLACE_ORDER, wanted, told, replacement_arguments(change))


def resolve(wanted: str, settled: Resolution, told: Told) -> Asked:
    """Return the act of settling an order. Raises UsageError with what is wrong with it."""
    return _asked(OperatorAct.RESOLVE_ORDER, wanted, told, resolution_arguments(settled))


def reconcile(told: Told) -> Asked:
    """Return the act of comparing with the broker's book now. Raises UsageError with what is wrong with it."""
    return _asked(OperatorAct.RECONCILE, EVERYTHING, told, {})


def about(act: Asked, symbol: str | None, find: Callable[[str], Found]) -> Asked:
    """Return an act on an order with what its id stands for; a ``symbol`` told spares the search.

    Raises what ``find`` does.
    """
    found = find(act.scope) if symbol is None else Found(check_symbol(symbol), "", None)
    return replace(
        act,
        symbol=found.symbol,
        decision_id=found.decision_id or None,
        execution_id=found.execution_id,
    )


def question(log: Log, act: Asked) -> Question[OperatorAnswered]:
    """Return what is asked of the executor. Raises Retryable or Unreachable while Kafka is away."""
    if act.act is OperatorAct.RECONCILE:
        asked_at = Spot((log.topics.control, 0), act.scope)
        # Whatever account answers: the act names none.
        answered_at = Spot((log.topics.account, 0), "")
    else:
        asked_at = answered_at = symbol_spot(log, act.symbol or "")
    return Question(
        act_id=act.act_id,
        key=act.key,
        spot=asked_at,
        answered_at=answered_at,
        event=act.event,
        first_use=partial(_uses, act),
        contents=lambda other: f"{other.act} {other.scope} {other.arguments[:200]}",
        answer_in=partial(_answer_in, act.act_id),
        types=_TYPES,
        wording=Wording(f"the {_NOUNS[act.act]}", "executor", UNDONE, "acting"),
        # A comparison is nothing that can be done twice; all else is unfinished work in the log until it is answered.
        asks_again=act.act is OperatorAct.RECONCILE,
    )


def report(answer: OperatorAnswered, act: Asked) -> dict[str, Any]:
    """Return an answer by name: what came of which act, whose, and the numbers behind it."""
    return {
        "answer": str(answer.outcome),
        "act": str(answer.act),
        "explanation": answer.explanation,
        "symbol": answer.symbol,
        "decision_id": answer.decision_id,
        "execution_id": answer.execution_id,
        "decision_status": str(answer.decision_status) if answer.decision_status else None,
        "key": act.key,
        "acted_by": act.operator,
        "why": act.why,
        "account": answer.account,
        "answered_at": answer.occurred_at,
        **(json.loads(answer.details) if answer.details else {}),
    }


def _uses(act: Asked, other: OperatorActed) -> bool:
    return other.idempotency_key == act.key and other.act is not OperatorAct.MANUAL_ORDER


def _answer_in(act_id: str, event: Event) -> OperatorAnswered | None:
    return event if isinstance(event, OperatorAnswered) and event.act_id == act_id else None


def _asked(act: OperatorAct, scope: str, told: Told, arguments: dict[str, Any]) -> Asked:
    wanted = scope.strip()
    if not 0 < len(wanted) <= ID_LENGTH_MAX or not wanted.isprintable():
        raise UsageError("the id of a decision or of one of its executions is needed")
    return made_by(told, lambda *named: asked(act, wanted, named, arguments))
