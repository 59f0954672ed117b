"""Replaces an open order: every control for what it is to become, an intent, then the PATCH under a ticket.

The new order is a new execution of the same decision, attempt + 1, with a client_order_id of its own: its outcome is
known, unknown and looked up as any other's.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from functools import partial

from services.executor.broker.outcomes import Away
from services.executor.controls import Account, Facts, Question, check_all, first_failed
from services.executor.operators.acts import Replace
from services.executor.recording.desk import Desk
from services.executor.recording.orders import ORDERS_ENDPOINT, call_id, client_order_id
from services.executor.sending.context import Context, ask_all
from services.executor.sending.posting import post_all
from services.executor.state.book import Decision, Execution, begun
from services.executor.state.entries import PATCH, ZERO
from tradetrail.events import Event
from tradetrail.events.generated import (
    Cause,
    OperatorActed,
    OrderStatus,
    RiskCheck,
    Side,
)
from tradetrail.reports.encode import plain

# What the account could do is asked for anew when it was told longer ago than this: no lane was free meanwhile.
FRESH_S = 2.0


@dataclass(frozen=True, slots=True)
class _Told:
    """What the order may draw on, as it was just told; ``at_s`` on the monotonic clock."""

    context: Context
    at_s: float


class Replacer:
    """Begins replacements; what becomes of them, the book tells."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk
        self._told: dict[str, _Told] = {}

    def step(self, act: OperatorActed, at: Cause, task: Replace) -> RiskCheck | None:
        """Do what is due for one act; return the control that refuses it, if one does."""
        desk = self._desk
        told = self._told.get(act.event_id)
        if told is None or time.monotonic() - told.at_s > FRESH_S:
            self._ask(act, task.decision.symbol)
            return None
        if not desk.lanes.free:
            return None
        del self._told[act.event_id]
        context = told.context
        desk.commit()
        # As late as can be: a halt that is in the log before the intent stops the order.
        desk.read_halts()
        wanted = _wanted(task, act)
        now = desk.now()
        # The broker holds the old order until the new one stands: only what that adds needs to be there.
        account = _account(context.account(), task.execution)
        facts = Facts(account, context.prices(), desk.book, desk.halts, desk.settings, now)
        checks = check_all(Question(wanted, facts, replaces=task.execution.execution_id))
        failed = first_failed(checks)
        if failed is None:
            self._send(act, at, task, wanted, context, checks)
        return failed

    def _ask(self, act: OperatorActed, symbol: str) -> None:
        desk = self._desk
        if desk.pace.is_open:
            desk.lanes.ask(
                f"act/{act.event_id}",
                partial(ask_all, symbols=[symbol], look=desk.book.reserved.look()),
                partial(self._came, act.event_id),
            )

    def _came(self, act_id: str, context: Context | Away) -> None:
        if isinstance(context, Away):
            self._desk.pace.failed(context.reason, context.call)
            return
        for told in context.told.values():
            self._desk.pace.heard(told.call)
        self._told[act_id] = _Told(context, time.monotonic())

    def _send(
        self,
        act: OperatorActed,
        at: Cause,
        task: Replace,
        wanted: Decision,
        context: Context,
        checks: tuple[RiskCheck, ...],
    ) -> None:
        desk, old = self._desk, task.execution
        request = _request(task, wanted)
        now = desk.now()
        made = desk.events.intent(wanted, request, checks, now)
        intent = replace(
            made,
            cause=at,
            method=PATCH,
            endpoint=f"{ORDERS_ENDPOINT}/{old.broker_order_id}",
            previous_execution_id=old.execution_id,
        )
        recorded: list[Event] = []
        call_ids = []
        for name, purpose, exchange in context.calls():
            each_id = call_id(intent.execution_id, name, 1)
            call_ids.append(each_id)
            recorded += desk.events.call(exchange, purpose, each_id, now, wanted)
        intent = replace(intent, api_call_ids=tuple(call_ids))
        desk.crash.passing("before_intent")
        execution = begun(intent, wanted.symbol, at)
        outputs = [
            *desk.on_symbol(wanted.symbol, *recorded, intent),
            desk.state(execution, OrderStatus.SUBMITTING),
        ]
        (ticket,) = desk.journal.commit_intents(outputs, [intent.execution_id])
        post_all(desk, [(desk.book.executions[intent.execution_id], ticket)])


def _account(account: Account, old: Execution) -> Account:
    """Return the account as it is without the order that is to go."""
    given_back = ZERO
    if old.side is Side.BUY and old.limit_price is not None:
        given_back = (old.quantity - old.filled_qty_total) * old.limit_price
    return replace(account, buying_power_usd=account.buying_power_usd + given_back)


def _wanted(task: Replace, act: OperatorActed) -> Decision:
    """Return the decision as the new order has it; the person's act is what must not be stale."""
    old, wanted = task.execution, task.wanted
    return replace(
        task.decision,
        quantity=wanted.quantity or old.quantity - old.filled_qty_total,
        limit_price=old.limit_price if wanted.limit_price is None else wanted.limit_price,
        decided_at=act.occurred_at,
    )


def _request(task: Replace, wanted: Decision) -> str:
    """Return the exact JSON body. The size is said whenever it is whole: the broker takes no other."""
    body = {
        "time_in_force": task.execution.time_in_force.value,
        "client_order_id": client_order_id(wanted.decision_id, wanted.next_attempt),
    }
    if wanted.quantity % 1 == 0:
        body["qty"] = plain(wanted.quantity)
    if wanted.limit_price is not None:
        body["limit_price"] = plain(wanted.limit_price)
    return json.dumps(body)
