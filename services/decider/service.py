"""The decider: folds its partitions into views and answers every SymbolDataReady once per strategy.

Steps per event, in order: fold it into its symbol's state; when it is a trigger, cut the view as of it, evaluate each
strategy, read the context a signal needs, state the decision or the decline. The loop commits outputs and offsets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from services.decider.breakpoints import reached
from services.decider.context import Call, Context, ContextAway
from services.decider.decision import (
    Making,
    Question,
    decline_before_context,
    decline_in_context,
    declined,
    made,
    quantity_of,
)
from services.decider.memory import Memory
from services.decider.settings import DeciderSettings
from services.decider.signal import Strategy
from services.decider.view import Trigger
from tradetrail.calls import call_events
from tradetrail.clock import Clock
from tradetrail.errors import Retryable
from tradetrail.events import Event
from tradetrail.events.generated import (
    CallPurpose,
    DecisionMade,
    DeclineReason,
)
from tradetrail.ids import derive_id
from tradetrail.log.codec import Codec
from tradetrail.log.entry import Entry
from tradetrail.log.producer import Outgoing
from tradetrail.log.reader import Place, Received
from tradetrail.log.stamp import Stamp
from tradetrail.settings import SharedSettings

# Between two tries to read a context: short against the wait it is part of.
CONTEXT_RETRY_S = 0.5

log = structlog.get_logger(__name__)


class ContextSource(Protocol):
    """Where contexts come from; ContextAway while they can't be had."""

    def read(self, symbol: str, now: datetime) -> Context:
        """Return the context of ``symbol`` as of ``now``."""


class Decider:
    """The loop's processor. One instance per process, used by the loop's thread only."""

    def __init__(
        self,
        shared: SharedSettings,
        settings: DeciderSettings,
        codec: Codec,
        clock: Clock,
        contexts: ContextSource,
        strategies: Sequence[Strategy],
        making: tuple[Stamp, str],
        stop: threading.Event,
    ) -> None:
        """Decide with these strategies; ``making`` is the process's stamp and its configuration's hash."""
        self._settings = settings
        self._clock = clock
        self._contexts = contexts
        self._strategies = strategies
        self._stamp, self._configuration_hash = making
        self._stop = stop
        self._memory = Memory(shared, codec)
        self._wait_until = 0.0
        self.waiting_for_context: str | None = None

    def take(self, committed: dict[Place, int]) -> None:
        """Build the views of these partitions as of their committed offsets."""
        self._memory.take(committed)

    def forget(self, places: Sequence[Place]) -> None:
        """Drop the views of these partitions."""
        self._memory.forget(places)

    def process(self, batch: Sequence[Entry]) -> list[Outgoing]:
        """Fold a batch and return the answers to its triggers, in order."""
        outputs: list[Outgoing] = []
        # One limit for the batch: many triggers that each wait to the end would outlast the group's patience.
        self._wait_until = time.monotonic() + self._settings.context_wait_s
        for entry in batch:
            if self._stop.is_set():
                raise Retryable("asked to stop")
            trigger = self._memory.fold(entry)
            if trigger is not None:
                outputs.extend(self._answer(entry.message, trigger))
        return outputs

    def _answer(self, message: Received, trigger: Trigger) -> list[Outgoing]:
        outputs: list[Outgoing] = []
        for strategy in self._strategies:
            if trigger.run.data_source not in strategy.data_sources:
                continue
            view = self._memory.view(message.place, trigger, strategy.name)
            reached("view_taken")
            question = Question(strategy, trigger, view, strategy.evaluate(view, trigger))
            reached("signalled")
            for event in self._decide(question):
                outputs.append(Outgoing(message.topic, trigger.symbol, event))
                if isinstance(event, DecisionMade):
                    self._memory.mark_acted(message.place, trigger.symbol, event)
        return outputs

    def _decide(self, question: Question) -> list[Event]:
        making = Making(self._stamp, self._settings, self._configuration_hash, self._clock.now())
        if why := decline_before_context(question):
            return [declined(question, making, why)]
        try:
            context = self._wait_for_context(question.trigger.symbol, making)
        except ContextAway as error:
            calls, _ = self._call_events(question, making, error.calls)
            why = (
                DeclineReason.CONTEXT_UNAVAILABLE,
                f"not to be had within {self._settings.context_wait_s} s: {error}",
            )
            return [*calls, declined(question, making, why)]
        reached("context_read")
        calls, call_ids = self._call_events(question, making, context.calls)
        quantity = quantity_of(question, context, self._settings)
        if why := decline_in_context(question, context, quantity):
            return [*calls, declined(question, making, why, context, call_ids)]
        return [*calls, made(question, making, context, quantity, call_ids)]

    def _wait_for_context(self, symbol: str, making: Making) -> Context:
        """Return the context, waited for as long as the batch may; Retryable when asked to stop meanwhile."""
        try:
            while True:
                try:
                    return self._contexts.read(symbol, making.now)
                except ContextAway as error:
                    if time.monotonic() > self._wait_until:
                        raise
                    self.waiting_for_context = f"{symbol}: {error}"
                    log.warning("waiting for a context", symbol=symbol, error=str(error))
                if self._stop.wait(CONTEXT_RETRY_S):
                    raise Retryable("asked to stop while waiting for a context")
        finally:
            self.waiting_for_context = None

    def _call_events(
        self, question: Question, making: Making, calls: Sequence[Call]
    ) -> tuple[list[Event], list[tuple[str, bool]]]:
        events: list[Event] = []
        call_ids: list[tuple[str, bool]] = []
        for index, call in enumerate(calls):
            call_id = str(derive_id("context-call", question.decision_id, index))
            call_ids.append((call_id, call.purpose == CallPurpose.MARKET_CONTEXT))
            events.extend(
                call_events(
                    making.stamp,
                    making.now,
                    call_id=call_id,
                    purpose=call.purpose,
                    vendor="alpaca",
                    method=call.exchange.method,
                    endpoint=call.exchange.endpoint,
                    request=call.exchange.request,
                    status_code=call.exchange.status_code,
                    error=call.exchange.error,
                    body=call.exchange.body,
                    records_returned=None,
                    rate_limit_remaining=_remaining(call.exchange.headers),
                    duration_us=call.exchange.duration_us,
                    vendor_request_id=call.exchange.headers.get("X-Request-ID"),
                    decision_id=question.decision_id,
                    symbol=question.trigger.symbol,
                    cause=question.trigger.place,
                )
            )
        return events, call_ids


def _remaining(headers: dict[str, str]) -> int | None:
    value = headers.get("X-RateLimit-Remaining", "")
    return int(value) if value.isdigit() else None
