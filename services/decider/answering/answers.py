"""The answers of one poll batch, and the calls to Alpaca they rest on.

Signals that pass wait until the batch ends, or until their symbol's next trigger, and share what is read then: one look
at the account, and the market of all their symbols. Nothing decided in a batch can reach the broker before the batch is
committed, so one look at the account is as true for its last answer as for its first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from services.decider.answering import manual
from services.decider.answering.decision import (
    Making,
    Question,
    decline_before_context,
    decline_in_context,
    declined,
    made,
    quantity_of,
)
from services.decider.breakpoints import reached
from services.decider.contexts.context import (
    Call,
    Context,
    ContextAway,
    DailyBar,
    Portfolio,
    market_of,
)
from services.decider.contexts.context_wait import ContextWait
from services.decider.metrics import ANSWERS, CALLS, STEP_SECONDS
from services.decider.settings import DeciderSettings
from services.decider.views.manual_acts import ManualQuestion
from tradetrail.calls import exchange_events
from tradetrail.clock import Clock
from tradetrail.events.generated import (
    ApiCallRecorded,
    CallPurpose,
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
)
from tradetrail.ids import derive_id
from tradetrail.log.producer import Outgoing
from tradetrail.log.reader import Place
from tradetrail.log.stamp import Stamp


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers are made with, the same for every batch."""

    stamp: Stamp
    settings: DeciderSettings
    configuration_hash: str
    clock: Clock
    contexts: ContextWait


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the partition of its trigger: there the answer goes."""

    place: Place
    question: Question | ManualQuestion

    @property
    def symbol(self) -> str:
        """Return the symbol it is about."""
        return self.question.trigger.symbol


@dataclass(slots=True)
class _Recorded:
    """A call, when it was made, and the questions it was made or used for, by decision id."""

    call: Call
    call_id: str
    at: datetime
    # It belongs to a reading that gave contexts; those of earlier tries don't.
    is_used: bool
    served: dict[str, Asked] = field(default_factory=dict)


class Answers:
    """Takes the questions of one batch in the order of their triggers and answers them in that order."""

    def __init__(self, desk: Desk) -> None:
        """Begin a batch: its limit for waiting begins now."""
        self._desk = desk
        # One for the batch: many questions that each wait to the end would outlast the group's patience.
        self._until = time.monotonic() + desk.settings.context_wait_s
        self._asked: list[tuple[Asked, tuple[DeclineReason, str] | None]] = []
        self._waiting: set[str] = set()
        self._portfolio: Portfolio | None = None
        self._bars: dict[str, tuple[DailyBar, ...]] = {}
        self._recorded: list[_Recorded] = []
        self._answered: list[Outgoing] = []

    def is_waiting(self, symbol: str) -> bool:
        """Tell whether a question about ``symbol`` waits, so that the symbol's next trigger can't be judged yet."""
        return symbol in self._waiting

    def ask(self, asked: Asked) -> None:
        """Take a question; it is answered with the next ``settle``."""
        question = asked.question
        why = (
            question.trigger.refusal
            if isinstance(question, ManualQuestion)
            else decline_before_context(question)
        )
        self._asked.append((asked, why))
        if why is None:
            self._waiting.add(asked.symbol)

    def settle(self) -> list[tuple[Asked, DecisionMade]]:
        """Answer what was asked and return the decisions to trade.

        Waits for market and account within the batch's limit. Raises Retryable when asked to stop meanwhile.
        """
        asked, self._asked = self._asked, []
        self._waiting.clear()
        if not asked:
            return []
        desk = self._desk
        making = Making(desk.stamp, desk.settings, desk.configuration_hash, desk.clock.now())
        away: ContextAway | None = None
        if waiting := [each for each, why in asked if why is None]:
            with STEP_SECONDS.labels("context").time():
                away = self._read(waiting, making.now)
            reached("context_read")
        with STEP_SECONDS.labels("state").time():
            return self._state(asked, making, away)

    def outputs(self) -> list[Outgoing]:
        """Return the batch's calls, then its answers. A call stands where the first answer it served does."""
        calls = []
        for recorded in self._recorded:
            first = next(iter(recorded.served.values()))
            calls += [
                Outgoing(first.place[0], first.symbol, event) for event in self._events(recorded)
            ]
        return [*calls, *self._answered]

    def _state(
        self,
        asked: Sequence[tuple[Asked, tuple[DeclineReason, str] | None]],
        making: Making,
        away: ContextAway | None,
    ) -> list[tuple[Asked, DecisionMade]]:
        decisions = []
        for each, why in asked:
            if why is None and away is not None:
                wait_s = making.settings.context_wait_s
                text = f"not to be had within {wait_s:g} s: {away}"
                why = (DeclineReason.CONTEXT_UNAVAILABLE, text)
            event = replace(self._event(each, making, why), api_call_ids=self._call_ids(each))
            self._answered.append(Outgoing(each.place[0], each.symbol, event))
            if isinstance(event, DecisionMade):
                decisions.append((each, event))
            answer = "made" if isinstance(event, DecisionMade) else event.reason.value
            ANSWERS.labels(event.strategy_name, answer).inc()
        return decisions

    def _event(
        self, asked: Asked, making: Making, why: tuple[DeclineReason, str] | None
    ) -> DecisionMade | DecisionDeclined:
        question = asked.question
        if isinstance(question, ManualQuestion):
            if why:
                return manual.declined(question, making, why)
            return manual.answer(question, making, self._context(asked.symbol))
        if why:
            return declined(question, making, why)
        context = self._context(asked.symbol)
        quantity = quantity_of(question, context, making.settings)
        if why := decline_in_context(question, context, quantity):
            return declined(question, making, why, context)
        return made(question, making, context, quantity)

    def _read(self, waiting: Sequence[Asked], now: datetime) -> ContextAway | None:
        """Have the context of everything that waits; return why it can't be had."""
        missing = [s for s in dict.fromkeys(each.symbol for each in waiting) if s not in self._bars]
        if missing or self._portfolio is None:
            if self._recorded and time.monotonic() >= self._until:
                return ContextAway("the wait of its batch was over before it was asked for", ())
            first = waiting[0].question.decision_id
            try:
                reading = self._desk.contexts.read(
                    missing, now, with_portfolio=self._portfolio is None, until=self._until
                )
            except ContextAway as error:
                self._record(error.calls, first, now, used_from=len(error.calls))
                self._serve(waiting, self._recorded[-len(error.calls) :] if error.calls else ())
                return error
            self._portfolio = reading.portfolio or self._portfolio
            self._bars.update(reading.bars)
            calls = (*reading.failed, *reading.calls)
            self._record(calls, first, now, used_from=len(reading.failed))
            self._serve(waiting, self._recorded[-len(calls) :])
        self._serve(waiting, [each for each in self._recorded if each.is_used])
        return None

    def _record(self, calls: Sequence[Call], first: str, now: datetime, used_from: int) -> None:
        for index, call in enumerate(calls):
            call_id = str(derive_id("context-call", first, index))
            self._recorded.append(_Recorded(call, call_id, now, index >= used_from))
            status = call.exchange.status_code or "none"
            CALLS.labels(call.exchange.endpoint, status).inc()

    @staticmethod
    def _serve(waiting: Sequence[Asked], recorded: Sequence[_Recorded]) -> None:
        by_id = [(each.question.decision_id, each) for each in waiting]
        for each in recorded:
            each.served |= {i: asked for i, asked in by_id if each.call.concerns(asked.symbol)}

    def _call_ids(self, asked: Asked) -> tuple[str, ...]:
        """Return the calls that were made for an answer, or shared by it: failed ones too."""
        decision_id = asked.question.decision_id
        return tuple(each.call_id for each in self._recorded if decision_id in each.served)

    def _context(self, symbol: str) -> Context:
        portfolio = self._portfolio
        if portfolio is None:
            raise ValueError(f"no portfolio was read for {symbol}")
        used = [
            each
            for each in self._recorded
            if each.is_used and each.call.is_answered and each.call.concerns(symbol)
        ]
        ids: dict[CallPurpose, tuple[str, ...]] = {
            purpose: tuple(each.call_id for each in used if each.call.purpose == purpose)
            for purpose in (CallPurpose.MARKET_CONTEXT, CallPurpose.PORTFOLIO_CONTEXT)
        }
        return Context(
            market=market_of(self._bars.get(symbol, ()), ids[CallPurpose.MARKET_CONTEXT]),
            existing_position=portfolio.positions.get(symbol, Decimal(0)),
            buying_power=portfolio.buying_power,
            portfolio_value=portfolio.portfolio_value,
            call_ids=ids[CallPurpose.PORTFOLIO_CONTEXT],
        )

    def _events(self, recorded: _Recorded) -> list[ApiCallRecorded]:
        """Return the events of a call; what served several decisions or symbols names none of them."""
        served = list(recorded.served.values())
        symbols = {each.symbol for each in served}
        return exchange_events(
            self._desk.stamp,
            recorded.at,
            recorded.call.exchange,
            call_id=recorded.call_id,
            purpose=recorded.call.purpose,
            decision_id=served[0].question.decision_id if len(served) == 1 else None,
            symbol=served[0].symbol if len(symbols) == 1 else None,
            cause=served[0].question.trigger.place,
        )
