"""The decider: folds its partitions into views, answers every SymbolDataReady once per strategy, and a person's order.

Steps per batch, in order: fold each event into its symbol's state; when it is a trigger, cut the view as of it, with
the reference facts, read once a batch, and ask each strategy; settle what was asked: read the contexts that signals
need, state the decisions and the declines. The loop commits outputs and offsets.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from services.decider.answering.answers import Answers, Asked, Desk
from services.decider.answering.decision import Question
from services.decider.breakpoints import reached
from services.decider.metrics import STEP_SECONDS
from services.decider.signals.signal import Strategy
from services.decider.views.manual_acts import ManualQuestion, ManualTrigger
from services.decider.views.memory import Memory
from services.decider.views.reference import FactSource, NoFacts
from services.decider.views.view import Trigger
from tradetrail.errors import Retryable
from tradetrail.events.generated import LogPosition
from tradetrail.log.entry import Entry
from tradetrail.log.producer import Outgoing
from tradetrail.log.reader import Place


class Decider:
    """The loop's processor. One instance per process, used by the loop's thread only."""

    def __init__(
        self,
        memory: Memory,
        desk: Desk,
        strategies: Sequence[Strategy],
        stop: threading.Event,
        facts: FactSource | None = None,
    ) -> None:
        """Decide with these strategies, by what ``memory`` and ``facts`` hold, until ``stop`` is set."""
        self._memory = memory
        self._desk = desk
        self._strategies = strategies
        self._stop = stop
        self._facts = facts or NoFacts()
        self._facts_through: tuple[LogPosition, ...] | None = None

    def take(self, committed: dict[Place, int]) -> None:
        """Build the views of these partitions as of their committed offsets."""
        self._memory.take(committed)

    def forget(self, places: Sequence[Place]) -> None:
        """Drop the views of these partitions."""
        self._memory.forget(places)

    def process(self, batch: Sequence[Entry]) -> list[Outgoing]:
        """Fold a batch and return the answers to its triggers, in order, after the calls they rest on."""
        answers = Answers(self._desk)
        self._facts_through = None
        for entry in batch:
            if self._stop.is_set():
                raise Retryable("asked to stop")
            with STEP_SECONDS.labels("fold").time():
                trigger = self._memory.fold(entry)
            if trigger is None:
                continue
            if answers.is_waiting(trigger.symbol):
                # What it can see depends on whether the one before it sets off a trade.
                self._settle(answers)
            with STEP_SECONDS.labels("evaluate").time():
                self._ask(answers, entry.message.place, trigger)
        self._settle(answers)
        return answers.outputs()

    def _ask(self, answers: Answers, place: Place, trigger: Trigger | ManualTrigger) -> None:
        if isinstance(trigger, ManualTrigger):
            answers.ask(Asked(place, ManualQuestion(trigger)))
            return
        for strategy in self._strategies:
            if trigger.run.data_source not in strategy.data_sources:
                continue
            through = self._read_facts()
            view = self._memory.view(place, trigger, strategy.name)
            view = self._facts.book.completed(view, trigger, through)
            reached("view_taken")
            question = Question(strategy, trigger, view, strategy.evaluate(view, trigger), through)
            reached("signalled")
            answers.ask(Asked(place, question))

    def _read_facts(self) -> tuple[LogPosition, ...]:
        """Read the reference topic to its end, once a batch; return how far that is."""
        if self._facts_through is None:
            with STEP_SECONDS.labels("reference").time():
                self._facts_through = self._facts.up_to_date()
        return self._facts_through

    def _settle(self, answers: Answers) -> None:
        for asked, decision in answers.settle():
            self._memory.mark_acted(asked.place, asked.symbol, decision)
