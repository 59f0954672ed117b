"""The step that sends: controls, intent, POST, outcome. One order at a time."""

from __future__ import annotations

import structlog

from services.executor import metrics
from services.executor.book import Decision, begun, next_actions
from services.executor.controls import Facts, check_batch
from services.executor.desk import Desk
from services.executor.looking import post
from services.executor.means import ask_means
from services.executor.orders import call_id, order_request
from services.executor.outcomes import Away
from tradetrail import sessions
from tradetrail.events import Event
from tradetrail.events.generated import CallPurpose, OrderStatus, RiskCheck

log = structlog.get_logger(__name__)


class Sender:
    """Acts on pending decisions, the strongest first."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk

    def step(self) -> bool:
        """Act on one decision; return whether there was one to act on."""
        desk = self._desk
        if not desk.book.pending_count() or not desk.pace.is_open:
            return False
        queues = desk.settings.outside_hours == "queue"
        is_open = queues or sessions.session_at(desk.now()) is not None
        for decision in next_actions(desk.book, desk.now(), market_is_open=is_open)[:1]:
            self._act_on(decision)
            return True
        return False

    def _act_on(self, decision: Decision) -> None:
        desk = self._desk
        means = ask_means(desk.broker, [decision.symbol], desk.book.reserved.look())
        if isinstance(means, Away):
            desk.pace.failed(means.reason, means.call)
            return
        for told in means.calls:
            if told.purpose is CallPurpose.PORTFOLIO_CONTEXT:
                desk.pace.heard(told.call)
        # As late as can be: a halt that is in the log before the intent stops the order.
        desk.read_halts()
        now = desk.now()
        facts = Facts(means.account, means.prices, desk.book, desk.halts, desk.settings, now)
        (verdict,) = check_batch([decision], facts)
        checks = verdict.checks
        if verdict.waits_for is not None:
            return
        recorded: list[Event] = []
        for told in means.calls_of(decision.symbol):
            each_id = call_id(decision.decision_id, told.name, decision.next_attempt)
            recorded += desk.events.call(told.call, told.purpose, each_id, now, decision)
        if (failed := verdict.blocked_by) is not None:
            metrics.BLOCKED.labels(failed.control.value).inc()
            event = desk.events.blocked(decision, failed, checks, now)
            desk.journal.commit(desk.on_symbol(decision.symbol, *recorded, event))
            return
        self._send(decision, recorded, checks)

    def _send(
        self, decision: Decision, recorded: list[Event], checks: tuple[RiskCheck, ...]
    ) -> None:
        desk = self._desk
        queues = sessions.session_at(desk.now()) is None
        request = order_request(decision, decision.next_attempt, queues=queues)
        intent = desk.events.intent(decision, request, checks, desk.now())
        desk.crash.passing("before_intent")
        execution = begun(intent, decision.symbol, decision.cause)
        outputs = [
            *desk.on_symbol(decision.symbol, *recorded, intent),
            desk.state(execution, OrderStatus.SUBMITTING),
        ]
        (ticket,) = desk.journal.commit_intents(outputs, [intent.execution_id])
        desk.crash.passing("after_intent")
        execution = desk.book.executions[intent.execution_id]
        posted = post(desk.broker, lambda b: b.submit(ticket, request), execution, desk.heard)
        desk.crash.passing("after_post")
        desk.enter_outcome(execution, posted)
        desk.commit()
