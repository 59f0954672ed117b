"""``tradetrail order cancel | replace | resolve | reconcile``: acts on orders, answered by the account's executor."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import typer

from tradetrail.cli.act_log import Log, Question, Spot, Wording, ask, open_log, symbol_spot
from tradetrail.cli.find_order import Found, find
from tradetrail.cli.person import Form, Format, Key, Wait, Who, Why, Yes, begin, show
from tradetrail.errors import UsageError
from tradetrail.events import Event
from tradetrail.events.generated import (
    AnswerOutcome,
    OperatorAct,
    OperatorActed,
    OperatorAnswered,
)
from tradetrail.operator_acts import (
    Asked,
    Fate,
    asked,
    replacement,
    replacement_arguments,
    resolution,
    resolution_arguments,
)
from tradetrail.person import made_by, refused
from tradetrail.process import EXIT_FAILED
from tradetrail.symbols import check_symbol

# The broker answers within its request's deadline of 10 s, and an order is looked up once or twice after that.
WAIT_S_DEFAULT = 30.0
# The broker's book of one day is read in pages, at its rate limit.
RECONCILE_WAIT_S_DEFAULT = 120.0
ID_LENGTH_MAX = 100

_UNDONE = "nothing was asked"
_TYPES = frozenset({OperatorActed.TYPE, OperatorAnswered.TYPE})
_CODES = (
    "\n\nExit code 0: done; 1: refused, nothing was changed, or not confirmed; 2: used wrongly; 3: no answer in time, "
    "or a server is away."
)

_Id = Annotated[str, typer.Argument(metavar="ID", help="a decision or one of its executions")]
_Symbol = Annotated[
    str | None,
    typer.Option(
        "--symbol", metavar="S", help="its symbol, when the id is too old to be found in the log"
    ),
]
_Shares = Annotated[str | None, typer.Option("--qty", metavar="N", help="whole shares, in all")]
_Limit = Annotated[
    str | None, typer.Option("--limit", metavar="P", help="limit price, USD a share")
]


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``order``."""
    group.command(
        help="Cancel a decision that waits, or ask the broker to cancel its open order; a fill may win."
        + _CODES,
        epilog='Example: `tradetrail order cancel 0b9e4c52-… --as ann --why "earnings tonight"`',
    )(cancel)
    group.command(
        "replace",
        help="Replace an open order by one of another size or limit: a new execution of the same decision, through "
        "every pre-trade control. A fill of the old one may win." + _CODES,
        epilog='Example: `tradetrail order replace 0b9e4c52-… --limit 186.10 --as ann --why "chase"`',
    )(replace_order)
    group.command(
        help="Settle an order that stays unknown, or that the broker accepted and does not know any more: say what "
        "became of it. Where the broker knows the order, its word stands." + _CODES,
        epilog='Examples: `tradetrail order resolve 7d1f… not-sent --as ann --why "broker confirmed by phone"`; '
        '`tradetrail order resolve 7d1f… filled --qty 10 --price 101.25 --as ann --why "statement"`',
    )(resolve)
    group.command(
        help="Compare with the broker's book now: what it has and the log lacks is recorded."
        + _CODES,
        epilog='Example: `tradetrail order reconcile --as ann --why "after the outage"`',
    )(reconcile)


def cancel(
    wanted: _Id,
    who: Who,
    why: Why,
    symbol: _Symbol = None,
    key: Key = None,
    wait_s: Wait = WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Cancel a decision or an open order."""
    act = _asked(OperatorAct.CANCEL_ORDER, wanted, (who, why, key), {})
    _act_on_order(act, symbol, f"cancel {act.scope}", "cancellation", wait_s, yes, form)


def replace_order(
    wanted: _Id,
    who: Who,
    why: Why,
    quantity: _Shares = None,
    limit: _Limit = None,
    symbol: _Symbol = None,
    key: Key = None,
    wait_s: Wait = WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Replace an open order."""
    with refused():
        change = replacement(quantity, limit)
    arguments = replacement_arguments(change)
    act = _asked(OperatorAct.REPLACE_ORDER, wanted, (who, why, key), arguments)
    meant = f"replace {act.scope} by {change.text}"
    _act_on_order(act, symbol, meant, "replacement", wait_s, yes, form)


def resolve(
    wanted: _Id,
    fate: Annotated[Fate, typer.Argument(metavar="OUTCOME", help=", ".join(Fate))],
    who: Who,
    why: Why,
    quantity: Annotated[
        str | None, typer.Option("--qty", metavar="Q", help="shares filled in all")
    ] = None,
    price: Annotated[
        str | None, typer.Option("--price", metavar="P", help="their average price, USD a share")
    ] = None,
    broker_order: Annotated[
        str | None, typer.Option("--broker-order", metavar="ID", help="the broker's id of it")
    ] = None,
    symbol: _Symbol = None,
    key: Key = None,
    wait_s: Wait = WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Settle an order that is unknown, or that the broker has lost."""
    with refused():
        told = resolution(fate, quantity, price, broker_order)
    act = _asked(OperatorAct.RESOLVE_ORDER, wanted, (who, why, key), resolution_arguments(told))
    meant = f"settle {act.scope} as {told.fate}"
    _act_on_order(act, symbol, meant, "settlement", wait_s, yes, form)


def reconcile(
    who: Who,
    why: Why,
    key: Key = None,
    wait_s: Wait = RECONCILE_WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Compare with the broker's book."""
    act = _asked(OperatorAct.RECONCILE, "everything", (who, why, key), {})
    settings = begin(
        _said(act, "compare with the broker's book"), "Do this?", _UNDONE, act.key, yes=yes
    )
    log = open_log(settings)
    asked_at = Spot((log.topics.control, 0), "everything")
    # Whatever account answers: the act names none.
    answered_at = Spot((log.topics.account, 0), "")
    _finish(log, act, asked_at, answered_at, "reconciliation", wait_s, form)


def _act_on_order(
    act: Asked, symbol: str | None, meant: str, noun: str, wait_s: float, yes: bool, form: Format
) -> None:
    known = None if symbol is None else check_symbol(symbol)
    settings = begin(_said(act, meant), "Do this?", _UNDONE, act.key, yes=yes)
    log = open_log(settings)
    found = find(log, act.scope) if known is None else Found(known, "", None)
    about = replace(
        act,
        symbol=found.symbol,
        decision_id=found.decision_id or None,
        execution_id=found.execution_id,
    )
    spot = symbol_spot(log, found.symbol)
    _finish(log, about, spot, spot, noun, wait_s, form)


def _finish(
    log: Log, act: Asked, asked_at: Spot, answered_at: Spot, noun: str, wait_s: float, form: Format
) -> None:
    question: Question[OperatorAnswered] = Question(
        act_id=act.act_id,
        key=act.key,
        spot=asked_at,
        answered_at=answered_at,
        event=act.event,
        first_use=partial(_uses, act),
        contents=lambda other: f"{other.act} {other.scope} {other.arguments[:200]}",
        answer_in=partial(_answer_in, act.act_id),
        types=_TYPES,
        wording=Wording(f"the {noun}", "executor", _UNDONE, "acting"),
        # A comparison is nothing that can be done twice; all else is unfinished work in the log until it is answered.
        asks_again=act.act is OperatorAct.RECONCILE,
    )
    answer = ask(log, question, wait_s)
    show(_report(answer, act), form)
    if answer.outcome is not AnswerOutcome.DONE:
        raise typer.Exit(EXIT_FAILED)


def _uses(act: Asked, other: OperatorActed) -> bool:
    return other.idempotency_key == act.key and other.act is not OperatorAct.MANUAL_ORDER


def _answer_in(act_id: str, event: Event) -> OperatorAnswered | None:
    return event if isinstance(event, OperatorAnswered) and event.act_id == act_id else None


def _asked(
    act: OperatorAct,
    scope: str,
    person: tuple[str, str, str | None],
    arguments: dict[str, Any],
) -> Asked:
    wanted = scope.strip()
    if not 0 < len(wanted) <= ID_LENGTH_MAX or not wanted.isprintable():
        raise UsageError("the id of a decision or of one of its executions is needed")
    return made_by(person, lambda *named: asked(act, wanted, named, arguments))


def _said(act: Asked, meant: str) -> str:
    return f"{meant}\nas {act.operator}: {act.why}"


def _report(answer: OperatorAnswered, act: Asked) -> dict[str, Any]:
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
