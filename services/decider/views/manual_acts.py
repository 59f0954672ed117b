"""What people asked of a symbol: their recorded acts, folded in log order, each key once. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tradetrail.events.generated import Cause, DeclineReason, OperatorAct, OperatorActed
from tradetrail.ids import derive_id
from tradetrail.manual_orders import BadOrder, Submission, read_act

Reason = tuple[DeclineReason, str]


@dataclass(frozen=True, slots=True)
class ManualTrigger:
    """A recorded act that asks for an answer. ``refusal`` says why it gets no order, whatever the context.

    ``incomplete`` says which event of the symbol can't be read: a person may know what we don't, so it stops nothing.
    """

    symbol: str
    place: Cause
    occurred_at: datetime
    submission: Submission | None
    refusal: Reason | None = None
    incomplete: str | None = None


@dataclass(frozen=True, slots=True)
class ManualQuestion:
    """What is being decided: one act of a person."""

    trigger: ManualTrigger

    @property
    def decision_id(self) -> str:
        """Return the id: of symbol and key; of its place for an act that is refused, so that it uses up no key."""
        asked, place = self.trigger.submission, self.trigger.place
        if asked is not None and self.trigger.refusal is None:
            return asked.decision_id
        return str(derive_id("manual-refused", place.topic, place.partition, place.offset))


class _Known(NamedTuple):
    at: datetime
    submission: Submission


@dataclass(slots=True)
class ManualActs:
    """The orders people gave of one symbol, by decision id in log order, as far back as the look-back reaches."""

    known: dict[str, list[_Known]] = field(default_factory=dict)

    def fold(
        self, act: OperatorActed, place: Cause, symbol: str, since: datetime
    ) -> ManualTrigger | None:
        """Take one act in log order; return the trigger when it asks for an answer of its own.

        A key is known by the first act that used it ``since`` then (UTC): the same order again was answered there, and
        another order under it is refused. What stands in the log decides, not when it was read.
        """
        if act.act is not OperatorAct.MANUAL_ORDER:
            return None
        at = act.occurred_at
        try:
            asked = read_act(act, symbol)
        except BadOrder as error:
            return ManualTrigger(symbol, place, at, None, (error.code, str(error)))
        same_key = self.known.setdefault(asked.decision_id, [])
        first = next((each.submission for each in same_key if each.at >= since), None)
        same_key.append(_Known(at, asked))
        if first is None:
            return ManualTrigger(symbol, place, at, asked)
        if first == asked:
            return None
        text = (
            f"key {asked.key} already stands for {first.order.text!r} by {first.operator!r}, because {first.why!r}; "
            "another order needs another key"
        )
        return ManualTrigger(symbol, place, at, asked, (DeclineReason.ALREADY_ACTED, text))

    def prune(self, before: datetime) -> None:
        """Drop what is older than an instant, UTC."""
        left = {
            decision_id: [each for each in same_key if each.at >= before]
            for decision_id, same_key in self.known.items()
        }
        self.known = {decision_id: same_key for decision_id, same_key in left.items() if same_key}
