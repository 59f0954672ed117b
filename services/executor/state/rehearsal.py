"""What this executor is about to say, folded into a copy first: an illegal step never reaches the log. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from services.executor.state.book import Book, Decision
from tradetrail.errors import Fatal, Poison
from tradetrail.events import Event
from tradetrail.events.generated import Cause, DecisionStatus

_NOWHERE = Cause(topic="", partition=0, offset=0, event_id="")


def rehearse(book: Book, events: Iterable[Event]) -> None:
    """Raise Fatal if folding these in order would contradict ``book``, which stays as it is."""
    trial = Book(retries=book.retries)
    for event in events:
        decision = book.decisions.get(getattr(event, "decision_id", None) or "")
        if decision is not None and decision.decision_id not in trial.decisions:
            _lend(book, decision, trial)
        try:
            trial.fold(event, _NOWHERE)
        except Poison as error:
            raise Fatal(
                f"this executor was about to record {event.TYPE} {event.event_id}, which can't be: {error}. Nothing of "
                "it was committed; start it again, and report this with the decision's events"
            ) from error


def _lend(book: Book, decision: Decision, trial: Book) -> None:
    copied = replace(decision, attempts=[replace(each) for each in decision.attempts])
    trial.decisions[copied.decision_id] = copied
    for each in copied.attempts:
        trial.executions[each.execution_id] = each
        if each.execution_id in book.open:
            trial.open[each.execution_id] = each
    if copied.status is DecisionStatus.PENDING:
        trial.waiting[copied.symbol] = deque([copied])
    if copied.decision_id in book.retrying:
        trial.retrying[copied.decision_id] = (copied, book.retrying[copied.decision_id][1])
