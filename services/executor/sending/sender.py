"""The step that sends: one context for a batch, controls in order, all intents in one transaction, then the POSTs.

Nothing here waits for the broker: each turn does what can be done, and a batch goes on when its context has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from services.executor import metrics
from services.executor.controls import Facts, Verdict, check_batch
from services.executor.recording.desk import Desk
from services.executor.recording.orders import call_id, order_request
from services.executor.sending.context import Context, Contexts, readable
from services.executor.sending.posting import free_for_orders, post_all
from services.executor.state.book import Decision, begun, next_actions
from tradetrail import sessions
from tradetrail.events.generated import OrderBlocked, OrderStatus, OrderSubmitting, RiskCheck
from tradetrail.log.producer import Outgoing

# A context that waited longer than this for a lane is asked for anew.
CONTEXT_FRESH_S = 2.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    """What one transaction will say."""

    outputs: list[Outgoing] = field(default_factory=list)
    execution_ids: list[str] = field(default_factory=list)
    judged: list[Decision] = field(default_factory=list)


class Sender:
    """Acts on pending decisions, the strongest first, one a symbol."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk
        self._contexts = Contexts(desk)
        # Decisions that only orders under way forbid, and the moment of the account they were judged by.
        self._waiting: dict[str, int] = {}

    def step(self) -> None:
        """Do what is due."""
        context = self._contexts.take(CONTEXT_FRESH_S)
        if context is not None:
            why = readable(context)
            if why is None:
                self._send(context)
            else:
                self._desk.pace.failed(why, context.told["account"].call)
        if self._contexts.is_under_way:
            self._contexts.gather(())
        elif free_for_orders(self._desk) and (heads := self._heads()) and self._is_due(heads):
            self._contexts.gather([each.symbol for each in heads])

    def _heads(self) -> list[Decision]:
        """Return the decisions that may go now, the strongest first."""
        desk = self._desk
        if not desk.book.pending_count():
            self._waiting.clear()
            return []
        now = desk.now()
        queues = desk.settings.outside_hours == "queue"
        is_open = queues or sessions.session_at(now) is not None
        return next_actions(desk.book, now, market_is_open=is_open)

    def _is_due(self, heads: list[Decision]) -> bool:
        """Tell whether one of them may fare otherwise than when it was last judged."""
        moment = self._desk.book.reserved.moment
        self._waiting = {each: at for each, at in self._waiting.items() if at == moment}
        return any(each.decision_id not in self._waiting for each in heads)

    def _send(self, context: Context) -> None:
        desk = self._desk
        # What this turn has entered is in the book before anything is judged by it.
        desk.commit()
        # As late as can be: a halt that is in the log before the intents stops the orders.
        desk.read_halts()
        batch, room = _Batch(), free_for_orders(desk)
        heads = [each for each in self._heads() if each.symbol in context.symbols]
        account, prices = context.account(), context.prices()
        facts = Facts(account, prices, desk.book, desk.halts, desk.settings, desk.now())
        for verdict in check_batch(heads, facts):
            if len(batch.execution_ids) >= room:
                break
            self._take(verdict, context, batch)
        if not batch.outputs:
            return
        calls, call_ids = self._calls(context, batch)
        if batch.execution_ids:
            desk.crash.passing("before_intent")
        tickets = desk.journal.commit_intents(
            [*calls, *_naming(batch.outputs, call_ids)], batch.execution_ids
        )
        executions = [desk.book.executions[each] for each in batch.execution_ids]
        if executions:
            post_all(desk, list(zip(executions, tickets, strict=True)))

    def _take(self, verdict: Verdict, context: Context, batch: _Batch) -> None:
        """Add a decision's intent to the batch, or that it is blocked; leave it when it must wait."""
        desk, decision = self._desk, verdict.decision
        if verdict.waits_for is not None:
            self._waiting[decision.decision_id] = context.look.moment
        elif verdict.blocked_by is not None:
            metrics.BLOCKED.labels(verdict.blocked_by.control.value).inc()
            event = desk.events.blocked(decision, verdict.blocked_by, verdict.checks, desk.now())
            batch.outputs += desk.on_symbol(decision.symbol, event)
            batch.judged.append(decision)
        else:
            self._intend(decision, verdict.checks, batch)

    def _intend(self, decision: Decision, checks: tuple[RiskCheck, ...], batch: _Batch) -> None:
        desk = self._desk
        now = desk.now()
        queues = sessions.session_at(now) is None
        request = order_request(decision, decision.next_attempt, queues=queues)
        intent = desk.events.intent(decision, request, checks, now)
        execution = begun(intent, decision.symbol, decision.cause)
        batch.outputs += [
            *desk.on_symbol(decision.symbol, intent),
            desk.state(execution, OrderStatus.SUBMITTING),
        ]
        batch.judged.append(decision)
        batch.execution_ids.append(intent.execution_id)

    def _calls(self, context: Context, batch: _Batch) -> tuple[list[Outgoing], tuple[str, ...]]:
        """Return the context's calls as events, in the story of the one decision they served, else of none; and ids."""
        desk, now, first = self._desk, self._desk.now(), batch.judged[0]
        about = first if len(batch.judged) == 1 else None
        outputs: list[Outgoing] = []
        ids: list[str] = []
        for name, purpose, exchange in context.calls():
            step = name if about else f"{name}/shared"
            each_id = call_id(first.decision_id, step, first.next_attempt)
            events = desk.events.call(exchange, purpose, each_id, now, about)
            outputs += desk.on_symbol(first.symbol, *events)
            ids.append(each_id)
        return outputs, tuple(ids)


def _naming(outputs: Sequence[Outgoing], call_ids: tuple[str, ...]) -> list[Outgoing]:
    """Return the outputs; those that tell of checks name the calls that the numbers came from."""
    return [
        replace(each, event=replace(each.event, api_call_ids=call_ids))
        if isinstance(each.event, OrderSubmitting | OrderBlocked)
        else each
        for each in outputs
    ]
