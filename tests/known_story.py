"""A decision among what came before and after its trigger, for tests of what was known and of why there was no trade.

Phases, because a decision names positions that only the log gives: ``before`` and ``after`` its triggers, then what was
decided on them, once ``Told`` knows where each event landed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests import auditor_story as story
from tradetrail.events import Event
from tradetrail.events import generated as e

Placed = tuple[str, str, Event]
DAY = timedelta(days=1)
# The moment of the trigger that most tests ask about; with a look-back of 30 days its view begins at VIEW_FROM.
TRIGGERED = story.BEGIN + timedelta(minutes=5)
LOOKBACK_DAYS = 30
VIEW_FROM = TRIGGERED - LOOKBACK_DAYS * DAY
BOUNDED, UNBOUNDED = "b" * 64, story.HASH


def _at(event: Any, at: datetime) -> Any:
    return replace(event, occurred_at=at)


def _mega(*events: Event) -> list[Placed]:
    return [("megacap", "AAPL", event) for event in events]


def _call(name: str, decision: str | None, purpose: e.CallPurpose) -> e.ApiCallRecorded:
    """Return a call to the broker under a decision's id; under none when several answers share it."""
    of_decision = decision and story.an_id("d", decision)
    call = story.api_call(name)
    return replace(call, run_id=None, decision_id=of_decision, purpose=purpose, vendor="alpaca")


def before() -> list[Placed]:
    """Return what stands in the log up to and with the trigger "t1": nine record versions, an order under way."""
    status, decided = e.OrderStatus, e.DecisionStatus
    bounded = story.configuration(BOUNDED)
    bounded = replace(bounded, configuration=f'{{"lookback_days":{LOOKBACK_DAYS}}}')
    return [
        ("control", "decider", story.configuration(UNBOUNDED)),
        ("control", "decider", bounded),
        ("reference", "P000197", story.seat()),
        ("runs", "congress", story.run_started("run-1")),
        *_mega(
            _at(story.disclosure("old"), VIEW_FROM - timedelta(microseconds=1)),
            _at(story.disclosure("edge"), VIEW_FROM),
            story.disclosure("used"),
            story.disclosure("changed"),
            story.disclosure("changed", version=2),
            story.disclosure("moved"),
            story.withdrawal("moved", "AAPL", "F"),
            story.insider("insider"),
            story.disclosure("later-changed"),
            story.disclosure("later-moved"),
            story.ready("t0", at=story.BEGIN),
            story.declined("n0", at=story.BEGIN),
            story.submitting("d0", at=story.BEGIN),
            story.updated("d0", status.ACCEPTED, decided.EXECUTING, at=story.BEGIN),
        ),
        ("megacap", "MSFT", story.disclosure("other", "MSFT")),
        *_mega(story.ready("t1", at=TRIGGERED)),
    ]


def after() -> list[Placed]:
    """Return what the decisions on "t1" could not see: everything of ``before``, once more and further on."""
    status, decided = e.OrderStatus, e.DecisionStatus
    blocked = story.blocked("unbounded")
    return _mega(
        story.disclosure("too-late"),
        story.disclosure("used", version=2),
        story.disclosure("later-changed", version=2),
        story.withdrawal("later-moved", "AAPL", "F"),
        story.insider("insider-too-late"),
        story.updated("d0", status.FILLED, decided.EXECUTED, total="10", fill="10", price="72"),
        replace(story.operator_act("too late"), symbol="AAPL"),
        story.broker_order(),
        # Two controls refused it, at one place of the log.
        replace(blocked, risk_checks=blocked.risk_checks * 2),
        _call("order", "d1", e.CallPurpose.PORTFOLIO_CONTEXT),
        story.ready("t2", at=TRIGGERED + DAY),
    )


@dataclass
class Told:
    """Where each event landed, by event id."""

    places: dict[str, e.Cause] = field(default_factory=dict)

    def add(self, placed: Sequence[Placed], landed: Sequence[tuple[str, int, int]]) -> None:
        """Remember where ``placed`` landed."""
        for (_, _, event), (topic, partition, offset) in zip(placed, landed, strict=True):
            self.places[event.event_id] = e.Cause(
                topic=topic, partition=partition, offset=offset, event_id=event.event_id
            )

    def place(self, kind: str, *names: object) -> e.Cause:
        """Return where the story's event of that kind and name landed."""
        return self.places[story.an_id(kind, *names)]

    def decided(self) -> list[Placed]:
        """Return the answers: an earlier decision, four on "t1", one on "t2", and one to a person's order."""
        seat = self.place("seat", "P000197")
        fact = e.ReferenceFact(
            kind="committee_seat",
            subject="P000197",
            value="HSIF",
            topic=seat.topic,
            partition=seat.partition,
            offset=seat.offset,
            event_id=seat.event_id,
        )
        read = e.LogPosition(topic=seat.topic, partition=seat.partition, offset=seat.offset)
        d1 = self._on("t1", story.decision("d1", at=TRIGGERED + DAY), ["used"], BOUNDED)
        bars = _call("bars", "d1", e.CallPurpose.MARKET_CONTEXT)
        shared = _call("shared", None, e.CallPurpose.MARKET_CONTEXT)
        market = replace(d1.rationale.market_context, api_call_ids=(bars.call_id,))
        return _mega(
            bars,
            _call("in vain", "n1", e.CallPurpose.MARKET_CONTEXT),
            shared,
            self._on("t0", story.decision("d0", at=story.BEGIN), [], BOUNDED),
            replace(
                d1,
                rationale=replace(d1.rationale, reference_facts=(fact,), market_context=market),
                reference_through=(read,),
            ),
            self._on("t1", story.declined("n1", at=TRIGGERED), ["used"], BOUNDED),
            self._on("t1", story.decision("unbounded", at=TRIGGERED), ["used"], UNBOUNDED),
            self._on("t1", story.decision("wrong", at=TRIGGERED), ["used", "too-late"], BOUNDED),
            self._on(
                "t2",
                replace(
                    story.declined("n2", at=TRIGGERED + DAY),
                    reason=e.DeclineReason.NO_POSITION,
                    strategy_name="CorporateInsiderStrategy",
                    side=e.Side.SELL,
                    api_call_ids=(shared.call_id,),
                ),
                [],
                BOUNDED,
            ),
        )

    def _on(self, trigger: str, answer: Any, records: Sequence[str], configuration: str) -> Any:
        """Return ``answer`` as one on ``trigger`` that used the first version of ``records``."""
        told = story.rationale(records, strength=str(answer.rationale.signal_strength))
        sources = tuple(
            replace(source, topic=at.topic, partition=at.partition, offset=at.offset)
            for source, name in zip(told.source_data.records, records, strict=True)
            for at in [self.place("disclosure", name, 1)]
        )
        against = e.RuleResult(
            rule="strength",
            value=Decimal(2),
            threshold=Decimal(5),
            passed=False,
            explanation="strength 2 is below 5",
        )
        source_data = replace(told.source_data, records=sources)
        rationale = replace(told, source_data=source_data, rules=(*told.rules, against))
        return replace(
            answer,
            rationale=rationale,
            view_through=self.place("ready", trigger).offset,
            cause=self.place("ready", trigger),
            configuration_hash=configuration,
        )
