"""The step that sends: controls, intent, POST, outcome. One order at a time."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import structlog

from services.executor import metrics
from services.executor.book import Decision, begun, next_actions
from services.executor.controls import Account, Question, check_all, first_failed
from services.executor.desk import Desk
from services.executor.guarded_http import Exchange
from services.executor.looking import post
from services.executor.orders import call_id, order_request
from services.executor.outcomes import Away, Missing, Told
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
        account, calls = self._account(decision)
        if account is None:
            return
        # As late as can be: a halt that is in the log before the intent stops the order.
        desk.read_halts()
        now = desk.now()
        question = Question(decision, account, desk.book, desk.halts, desk.settings, now)
        checks = check_all(question)
        recorded: list[Event] = []
        for name, exchange in calls:
            each_id = call_id(decision.decision_id, name, decision.next_attempt)
            recorded += desk.events.call(
                exchange, CallPurpose.PORTFOLIO_CONTEXT, each_id, now, decision
            )
        failed = first_failed(checks)
        if failed is not None:
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

    def _account(self, decision: Decision) -> tuple[Account | None, list[tuple[str, Exchange]]]:
        """Return the account as the broker tells it now; None when it can't, and then orders wait."""
        desk = self._desk
        account = desk.broker.account()
        position = desk.broker.position(decision.symbol) if isinstance(account, Told) else account
        for told in (account, position):
            if isinstance(told, Away):
                desk.pace.failed(told.reason, told.call)
                return None, []
            desk.pace.heard(told.call)
        try:
            parsed = _parse(account, position)
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            desk.pace.failed(f"the account can't be read: {error!r}", account.call)
            return None, []
        return parsed, [("account", account.call), ("position", position.call)]


def _parse(account: Told | Missing | Away, position: Told | Missing | Away) -> Account:
    if not isinstance(account, Told):
        raise ValueError("there is no such account")
    qty, price = Decimal(0), None
    if isinstance(position, Told):
        qty = Decimal(position.value["qty"])
        told = position.value.get("current_price")
        price = None if told is None else Decimal(told)
    return Account(Decimal(account.value["buying_power"]), qty, price)
