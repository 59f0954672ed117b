"""A decision made again: the live code's own steps on the recorded market, portfolio and instant. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from services.decider.contexts.context import Context, Market
from services.decider.replay.configurations import SCOPE
from services.decider.replay.history import Answer
from services.decider.settings import DeciderSettings
from services.decider.signals.signal import Strategy
from services.decider.views.manual_acts import ManualQuestion
from services.decider.views.reference import ReferenceBook
from services.decider.views.view import Trigger, View
from tradetrail.events.generated import DecisionDeclined, DeclineReason, LogPosition
from tradetrail.log.stamp import Stamp
from tradetrail.reports.encode import plain


class NoContext(Exception):
    """The signal is one to trade on, and no context was recorded with the answer; ``wanted`` says what it is."""

    def __init__(self, wanted: str) -> None:
        """Keep what was to be traded, in words."""
        super().__init__(wanted)
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Facts:
    """The reference facts: all of them, and how far the topic is read."""

    book: ReferenceBook
    through: tuple[LogPosition, ...]

    def ask(
        self, strategy: Strategy, trigger: Trigger, view: View, answers: Sequence[Answer]
    ) -> Question:
        """Return the question that a strategy answers: what it saw on the trigger, and what it makes of it.

        The facts count as far as the first of ``answers``, recorded of this trigger, says; without any all of them.
        """
        through = answers[0].reference_through if answers else self.through
        seen = self.book.completed(view, trigger, through)
        return Question(strategy, trigger, seen, strategy.evaluate(seen, trigger), through)


def making_of(recorded: Answer, settings: DeciderSettings) -> Making:
    """Return what stands on the answer apart from the decision itself, as it was recorded."""
    stamp = Stamp(SCOPE, recorded.instance, recorded.service_version)
    return Making(stamp, settings, recorded.configuration_hash, recorded.occurred_at)


def answer(question: Question, making: Making, recorded: Answer) -> Answer:
    """Return the answer to ``question`` in the context that ``recorded`` tells. Raises NoContext when it has none."""
    if why := decline_before_context(question):
        return declined(question, making, why)
    if isinstance(recorded, DecisionDeclined) and was_unavailable(recorded):
        # That no context was to be had is what was recorded of it; the strategy can't know.
        why = (DeclineReason.CONTEXT_UNAVAILABLE, recorded.reason_text)
        return declined(question, making, why)
    context = context_of(recorded)
    if context is None:
        signal = question.signal
        raise NoContext(f"{signal.side} of strength {plain(signal.strength)}")
    quantity = quantity_of(question, context, making.settings)
    if why := decline_in_context(question, context, quantity):
        return declined(question, making, why, context)
    return made(question, making, context, quantity)


def manual_answer(question: ManualQuestion, making: Making, recorded: Answer) -> Answer:
    """Return the answer to a person's order in the context that ``recorded`` tells. Raises NoContext without one."""
    if why := question.trigger.refusal:
        return manual.declined(question, making, why)
    if isinstance(recorded, DecisionDeclined) and was_unavailable(recorded):
        why = (DeclineReason.CONTEXT_UNAVAILABLE, recorded.reason_text)
        return manual.declined(question, making, why)
    context = context_of(recorded)
    if context is None:
        asked = question.trigger.submission
        raise NoContext(asked.order.text if asked else "a person's order")
    return manual.answer(question, making, context)


def was_unavailable(recorded: DecisionDeclined) -> bool:
    """Tell whether it says that no context was to be had."""
    return recorded.reason is DeclineReason.CONTEXT_UNAVAILABLE


def context_of(recorded: Answer) -> Context | None:
    """Return the context in an answer's rationale, with the calls it came from; None when none was read for it."""
    market, portfolio = recorded.rationale.market_context, recorded.rationale.portfolio_context
    if portfolio is None:
        return None
    seen = None
    if market is not None:
        seen = Market(
            market.current_price,
            market.price_as_of,
            market.volume_20d_avg,
            market.volatility,
            market.api_call_ids,
        )
    return Context(
        seen,
        portfolio.existing_position,
        portfolio.buying_power,
        portfolio.portfolio_value,
        portfolio.api_call_ids,
    )
