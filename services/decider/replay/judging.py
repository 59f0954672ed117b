"""Judges recorded answers: each must be what its version and configuration make of what was recorded before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from services.decider.replay.answering import (
    Facts,
    NoContext,
    answer,
    making_of,
    manual_answer,
)
from services.decider.replay.asked import Asked
from services.decider.replay.comparison import Differing, differing, outcome
from services.decider.replay.configurations import Configurations, NotRunnable
from services.decider.replay.history import Answer, Step, Stray
from services.decider.replay.memories import Memories
from services.decider.signals.signal import Strategy
from services.decider.views.manual_acts import ManualQuestion, ManualTrigger
from services.decider.views.view import Trigger
from tradetrail.events.generated import DecisionMade
from tradetrail.log.reader import Place
from tradetrail.manual_orders import STRATEGY as MANUAL
from tradetrail.sessions import new_york_date

# What can be told of so many differences is enough to find their cause; all of them are counted.
KEPT_MAX = 1_000

NOT_REACHED = "not_reached"
"""The decider had not come to the trigger yet."""
NOT_ON = "strategy_off"
"""The decider went past it: no strategy that reads its data source was on."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A recorded answer that is not what the replay makes of it, or one that lacks, or is to nothing."""

    day: date
    symbol: str
    strategy: str
    decision_id: str | None
    place: Place
    offset: int | None
    fields: tuple[Differing, ...]


@dataclass(slots=True)
class Judged:
    """What was judged so far."""

    triggers: int = 0
    compared: int = 0
    differences: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    kept: list[Difference] = field(default_factory=list)


class Judge:
    """Judges step by step. Used by one thread, on the memory that the history folds into."""

    def __init__(
        self, asked: Asked, memories: Memories, configurations: Configurations, facts: Facts
    ) -> None:
        """Judge what was ``asked`` for."""
        self._asked = asked
        self._memories = memories
        self._configurations = configurations
        self._facts = facts
        self.judged = Judged()

    def take(self, found: Step | Stray) -> None:
        """Judge a trigger's answers, then let them count; or an answer to nothing."""
        if isinstance(found, Stray):
            self._stray(found)
            return
        if self._asked.holds(found.trigger.occurred_at):
            self.judged.triggers += 1
            self._judge(found)
        for each in found.answers:
            if isinstance(each, DecisionMade):
                self._memories.mark_acted(found.place, found.trigger.symbol, each)

    def _judge(self, step: Step) -> None:
        answers = [each for each in step.answers if self._asked.wants(each.strategy_name)]
        seen: set[str] = set()
        for each in answers:
            is_manual = each.strategy_name == MANUAL
            compare = self._manual_fields if is_manual else self._fields
            fields = list(compare(step, each))
            if each.strategy_name in seen:
                fields = [Differing("answer", outcome(each), "none: the strategy answered before")]
            seen.add(each.strategy_name)
            self.judged.compared += 1
            self._note(step.trigger, each.strategy_name, each.decision_id, fields)
        for name, text in self._expected(step):
            if name not in seen and self._asked.wants(name):
                self._note(step.trigger, name, None, [Differing("answer", None, text)])

    def _fields(self, step: Step, recorded: Answer) -> Iterator[Differing]:
        """Yield what differs in one answer."""
        digest, name = recorded.configuration_hash, recorded.strategy_name
        try:
            configuration = self._configurations.recorded(digest)
            version = configuration.versions.get(name)
            if version != recorded.strategy_version:
                off = version or "the strategy is off in the configuration it names"
                yield Differing("strategy_version", recorded.strategy_version, off)
                if version is None:
                    return
            strategy = self._configurations.strategy(digest, name, recorded.strategy_version)
        except NotRunnable as error:
            yield Differing("answer", outcome(recorded), f"not runnable: {error}")
            return
        days = configuration.settings.lookback_days
        trigger = step.triggers[days]
        if (
            isinstance(trigger, ManualTrigger)
            or trigger.run.data_source not in strategy.data_sources
        ):
            yield Differing(
                "answer", outcome(recorded), "none: the trigger is none of this strategy"
            )
            return
        view = self._memories.view(days, step.place, trigger, name)
        question = self._facts.ask(strategy, trigger, view, (recorded,))
        making = making_of(recorded, configuration.settings)
        yield from _compared(recorded, lambda: answer(question, making, recorded))

    def _manual_fields(self, step: Step, recorded: Answer) -> Iterator[Differing]:
        """Yield what differs in the answer to a person's order."""
        try:
            settings = self._configurations.recorded(recorded.configuration_hash).settings
        except NotRunnable as error:
            yield Differing("answer", outcome(recorded), f"not runnable: {error}")
            return
        trigger = step.triggers[settings.lookback_days]
        if not isinstance(trigger, ManualTrigger):
            yield Differing("answer", outcome(recorded), "none: the trigger is no person's order")
            return
        question, making = ManualQuestion(trigger), making_of(recorded, settings)
        yield from _compared(recorded, lambda: manual_answer(question, making, recorded))

    def _expected(self, step: Step) -> Iterator[tuple[str, str]]:
        """Yield the strategies that must have answered, with words for one that did not; count triggers without any."""
        trigger = step.trigger
        if isinstance(trigger, ManualTrigger):
            if step.was_passed or (step.answers and step.is_whole):
                yield MANUAL, "an answer: a person's order is always answered"
            elif not step.answers:
                self.judged.unanswered[NOT_REACHED] += 1
            return
        source = trigger.run.data_source
        if step.answers:
            # All answers to a trigger are in one transaction, made by one process under one configuration.
            on = self._on(step.answers[0].configuration_hash, source)
            if step.is_whole:
                yield from ((name, "an answer: the strategy was on") for name in sorted(on))
        elif not step.was_passed:
            self.judged.unanswered[NOT_REACHED] += 1
        else:
            always = [self._on(digest, source) for digest in self._configurations.hashes]
            if not always or not all(always):
                self.judged.unanswered[NOT_ON] += 1
            for name in sorted(frozenset.intersection(*always) if always else ()):
                yield name, "an answer: in every recorded configuration the strategy is on"

    def _on(self, digest: str, source: str) -> frozenset[str]:
        """Return the strategies that a configuration has on for a data source; none when it can't be read."""
        try:
            versions = self._configurations.recorded(digest).versions
        except NotRunnable:
            return frozenset()
        on = set()
        for name, version in versions.items():
            try:
                strategy: Strategy = self._configurations.strategy(digest, name, version)
            except NotRunnable:
                continue
            if source in strategy.data_sources:
                on.add(name)
        return frozenset(on)

    def _stray(self, stray: Stray) -> None:
        each = stray.answer
        if not self._asked.holds(each.occurred_at) or not self._asked.wants(each.strategy_name):
            return
        self.judged.compared += 1
        offset = None if each.cause is None else each.cause.offset
        fields = (Differing("answer", outcome(each), "none: the log has no such trigger"),)
        self._keep(
            Difference(
                new_york_date(each.occurred_at),
                each.symbol or "",
                each.strategy_name,
                each.decision_id,
                stray.place,
                offset,
                fields,
            )
        )

    def _note(
        self,
        trigger: Trigger | ManualTrigger,
        strategy: str,
        decision_id: str | None,
        fields: list[Differing],
    ) -> None:
        if not fields:
            return
        self._keep(
            Difference(
                new_york_date(trigger.occurred_at),
                trigger.symbol,
                strategy,
                decision_id,
                (trigger.place.topic, trigger.place.partition),
                trigger.place.offset,
                tuple(fields),
            )
        )

    def _keep(self, difference: Difference) -> None:
        self.judged.differences += 1
        if len(self.judged.kept) < KEPT_MAX:
            self.judged.kept.append(difference)


def _compared(recorded: Answer, again: Callable[[], Answer]) -> Iterator[Differing]:
    try:
        # Which calls told of market and account is a fact of that day, nothing that follows from others.
        told = replace(again(), api_call_ids=recorded.api_call_ids)
        yield from differing(recorded, told)
    except NoContext as lacking:
        text = f"{lacking.wanted}, for which no context is recorded"
        yield Differing("answer", outcome(recorded), text)
