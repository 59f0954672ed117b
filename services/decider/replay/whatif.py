"""The same triggers under other thresholds, another strategy or version: which decisions appear, vanish or change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from services.decider.answering.decision import (
    Making,
    Question,
    decline_before_context,
    decline_in_context,
    made,
    quantity_of,
)
from services.decider.contexts.context import Context
from services.decider.replay.answering import Facts, context_of, was_unavailable
from services.decider.replay.asked import Asked
from services.decider.replay.changes import Changed, Changes
from services.decider.replay.configurations import SCOPE, Configurations, NotRunnable
from services.decider.replay.estimates import PortfolioValues, SizeBasis, SymbolsKnown
from services.decider.replay.history import Answer, Step, Stray
from services.decider.replay.memories import Memories
from services.decider.settings import DeciderSettings
from services.decider.signals.signal import Strategy
from services.decider.views.view import Trigger
from tradetrail.errors import UsageError
from tradetrail.events.generated import DecisionDeclined, DecisionMade, Side
from tradetrail.log.stamp import Stamp
from tradetrail.sessions import new_york_date

# More changes than anybody reads, and a few hundred MiB of them.
CHANGES_MAX = 500_000
NOT_ANSWERED = "not_answered"
_STAMP = Stamp(SCOPE, "replay")


class Kind(StrEnum):
    """What becomes of a decision."""

    APPEARS = "appears"
    VANISHES = "vanishes"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of a trigger: an order, or the reason for none. Quantity in shares, None where it can't be known."""

    strength: Decimal | None
    reason: str | None = None
    text: str = ""
    side: Side | None = None
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    shape: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a quantity rests on, with the instants of its numbers."""

    size: SizeBasis
    price: Decimal | None = None
    price_as_of: datetime | None = None
    portfolio_value: Decimal | None = None
    portfolio_as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A decision that is not what it was."""

    kind: Kind
    day: date
    symbol: str
    strategy: str
    decision_id: str
    old: Outcome
    new: Outcome
    basis: Basis


@dataclass(slots=True)
class Tried:
    """What came of the what-if so far."""

    triggers: int = 0
    decided: int = 0
    unchanged: int = 0
    other_reason: int = 0
    not_runnable: int = 0
    not_runnable_why: str = ""
    changes: list[Change] = field(default_factory=list)


class WhatIf:
    """Tries step by step. Used by one thread, on the memories that the history folds into."""

    def __init__(
        self,
        asked: Asked,
        memories: Memories,
        configurations: Configurations,
        changes: Changes,
        values: PortfolioValues,
        facts: Facts,
    ) -> None:
        """Try what was ``asked`` for."""
        self._asked = asked
        self._memories = memories
        self._changes = changes
        self._values = values
        self._facts = facts
        self._symbols = SymbolsKnown()
        # For triggers that nobody answered: the configuration of the answer before, at first the last recorded.
        self._in_force = next(reversed(configurations.hashes), None)
        self.tried = Tried()

    def take(self, found: Step | Stray) -> None:
        """Try a trigger; the what-if's own decisions count from here on, before its period the recorded ones."""
        if isinstance(found, Stray):
            return
        if found.answers:
            self._in_force = found.answers[0].configuration_hash
        tried: set[str] = set()
        trigger = found.trigger
        # A person's order is no rule's doing: it is what it was.
        if isinstance(trigger, Trigger) and self._asked.holds(trigger.occurred_at):
            self.tried.triggers += 1
            tried = self._try(found, trigger.run.data_source)
        for each in found.answers:
            if isinstance(each, DecisionMade) and each.strategy_name not in tried:
                self._memories.mark_acted(found.place, found.trigger.symbol, each)
        self._symbols.take(found.trigger.symbol, found.answers)

    def _try(self, step: Step, source: str) -> set[str]:
        """Try each strategy that reads the trigger's data source; return their names."""
        try:
            if self._in_force is None:
                raise NotRunnable("no configuration of the decider is recorded")
            changed = self._changes.of(self._in_force)
        except NotRunnable as error:
            self.tried.not_runnable += 1
            self.tried.not_runnable_why = str(error)
            return set()
        on = {n: s for n, s in changed.strategies.items() if source in s.data_sources}
        for name, strategy in on.items():
            self._answer(step, name, strategy, changed)
        return set(on)

    def _answer(self, step: Step, name: str, strategy: Strategy, changed: Changed) -> None:
        old = next((a for a in step.answers if a.strategy_name == name), None)
        days = changed.settings.lookback_days
        trigger = step.triggers[days]
        if not isinstance(trigger, Trigger):
            return
        view = self._memories.view(days, step.place, trigger, name)
        # All answers to a trigger were made with the same facts.
        question = self._facts.ask(strategy, trigger, view, step.answers)
        context, basis = self._sizing(step, old)
        new = self._outcome(question, step.answers, context, changed.settings)
        self._count(question, recorded_outcome(old), new, basis)
        if new.reason is None:
            # Which records it acted on is all that counts of it; what it is worth changes nothing later.
            making = Making(_STAMP, changed.settings, "", trigger.occurred_at)
            context = context or Context(None, Decimal(0), Decimal(0), Decimal(0))
            decision = made(question, making, context, new.quantity or Decimal(0))
            self._memories.mark_acted(step.place, trigger.symbol, decision)

    def _outcome(
        self,
        question: Question,
        answers: Sequence[Answer],
        context: Context | None,
        settings: DeciderSettings,
    ) -> Outcome:
        strength = question.signal.strength
        if why := decline_before_context(question):
            return Outcome(strength, str(why[0]), why[1])
        for each in answers:
            if isinstance(each, DecisionDeclined) and was_unavailable(each):
                # That no context was to be had is recorded of the trigger, and holds for whoever asks.
                return Outcome(strength, str(each.reason), each.reason_text)
        if context is None:
            return Outcome(strength, side=question.signal.side)
        quantity = quantity_of(question, context, settings)
        if why := decline_in_context(question, context, quantity):
            return Outcome(strength, str(why[0]), why[1])
        making = Making(_STAMP, settings, "", question.trigger.occurred_at)
        return recorded_outcome(made(question, making, context, quantity))

    def _sizing(self, step: Step, old: Answer | None) -> tuple[Context | None, Basis]:
        """Return what an order is sized by: the trigger's recorded context, else the last known before it."""
        # Its own context first; another strategy's on the same trigger tells the same.
        for each in sorted(step.answers, key=lambda a: a is not old):
            if (context := context_of(each)) is not None:
                return context, _basis(SizeBasis.RECORDED, context, each.occurred_at)
        known = self._symbols.of(step.trigger.symbol)
        value = self._values.before(step.trigger.occurred_at)
        if known is None or known.market is None or value is None:
            return None, Basis(SizeBasis.UNKNOWN)
        context = Context(known.market, known.position, value.buying_power, value.portfolio_value)
        return context, _basis(SizeBasis.ESTIMATED, context, value.at)

    def _count(self, question: Question, old: Outcome, new: Outcome, basis: Basis) -> None:
        self.tried.decided += 1
        kind = kind_of(old, new)
        if kind is None:
            self.tried.unchanged += 1
            self.tried.other_reason += old.reason not in (new.reason, NOT_ANSWERED)
            return
        if len(self.tried.changes) >= CHANGES_MAX:
            raise UsageError(
                f"more than {CHANGES_MAX} decisions change: ask for fewer days (--from, --to) or one symbol (--symbol)"
            )
        trigger = question.trigger
        day = new_york_date(trigger.occurred_at)
        self.tried.changes.append(
            Change(
                kind,
                day,
                trigger.symbol,
                question.strategy.name,
                question.decision_id,
                old,
                new,
                basis,
            )
        )


def kind_of(old: Outcome, new: Outcome) -> Kind | None:
    """Return what becomes of a decision, None when it stays; another reason not to trade is no change of it."""
    if old.reason is not None:
        return None if new.reason is not None else Kind.APPEARS
    if new.reason is not None:
        return Kind.VANISHES
    return None if old == new else Kind.CHANGES


def recorded_outcome(answer: Answer | None) -> Outcome:
    """Return what came of a trigger by an answer; without one it was not answered."""
    if answer is None:
        return Outcome(None, NOT_ANSWERED)
    strength = answer.rationale.signal_strength
    if isinstance(answer, DecisionDeclined):
        return Outcome(strength, str(answer.reason), answer.reason_text)
    return Outcome(
        strength,
        side=answer.side,
        quantity=answer.quantity,
        limit_price=answer.limit_price,
        shape=(str(answer.order_type), str(answer.time_in_force)),
    )


def _basis(size: SizeBasis, context: Context, portfolio_as_of: datetime) -> Basis:
    market = context.market
    return Basis(
        size,
        None if market is None else market.current_price,
        None if market is None else market.price_as_of,
        context.portfolio_value,
        portfolio_as_of,
    )
