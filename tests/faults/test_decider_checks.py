"""The campaign's checks find what they are for: a log of answers is doctored, and each time they say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.decider_checks import (
    Answer,
    Log,
    Woken,
    answered_too_late,
    differences,
    violations_of,
)
from tests.faults.made_events import sample_event
from tests.faults.plain_log import Seen
from tradetrail.events import Event
from tradetrail.events.generated import (
    ApiCallRecorded,
    CallPurpose,
    Cause,
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
    DisclosureRecorded,
    SymbolDataReady,
)

STRATEGIES = {"congress": ["followed"]}
TOPIC, PLACE = "mine.default", ("mine.default", 1)
Events = list[Event]


def cause_of(events: Events, offset: int, topic: str = TOPIC) -> Cause:
    event_id = events[offset].event_id
    return Cause(topic=topic, partition=1, offset=offset, event_id=event_id)


def disclosed(number: int) -> list[Event]:
    """Return a record and the trigger that names it."""
    return [
        sample_event(DisclosureRecorded, event_id=f"record-{number}", symbol="AAPL"),
        sample_event(
            SymbolDataReady, event_id=f"trigger-{number}", symbol="AAPL", data_source="congress"
        ),
    ]


def answer(kind: type[Any], events: Events, trigger: int, number: int, topic: str) -> Any:
    sample: Any = sample_event(kind)
    cause = cause_of(events, trigger, topic)
    used = replace(
        sample.rationale.source_data.records[0],
        topic=topic,
        partition=1,
        offset=trigger - 1,
        event_id=events[trigger - 1].event_id,
    )
    market = replace(sample.rationale.market_context, api_call_ids=(f"call-{number}",))
    portfolio = replace(sample.rationale.portfolio_context, api_call_ids=())
    rationale = replace(
        sample.rationale,
        source_data=replace(sample.rationale.source_data, records=(used,)),
        market_context=market,
        portfolio_context=portfolio,
    )
    return replace(
        sample,
        event_id=f"answer-{number}",
        decision_id=f"decision-{number}",
        service="decider",
        instance="one",
        symbol="AAPL",
        strategy_name="followed",
        cause=cause,
        view_through=trigger,
        rationale=rationale,
    )


def called(number: int) -> ApiCallRecorded:
    return sample_event(
        ApiCallRecorded,
        event_id=f"call-{number}-0",
        call_id=f"call-{number}",
        service="decider",
        symbol="AAPL",
        purpose=CallPurpose.MARKET_CONTEXT,
        chunk_index=0,
        chunk_count=1,
    )


def whole(topic: str = TOPIC) -> Events:
    """Return records and triggers, each answered: offsets 0 to 3, then calls and answers."""
    events = [*disclosed(1), *disclosed(2)]
    first: Any = answer(DecisionMade, events, 1, 1, topic)
    second: Any = answer(DecisionDeclined, events, 3, 2, topic)
    text = f"the event at {topic}/1/0 can't be read"
    second = replace(second, reason=DeclineReason.INCOMPLETE_VIEW, reason_text=text)
    return [*events, called(1), first, called(2), second]


def log_of(events: Events, topic: str = TOPIC, gap: int = 0) -> Log:
    """Return a log of these events; each offset behind the disclosures is ``gap`` larger."""
    return Log([Seen(topic, 1, n + (gap if n > 3 else 0), event) for n, event in enumerate(events)])


def found_in(events: Events) -> list[str]:
    log = log_of(events)
    return violations_of(log, STRATEGIES) + differences(
        log, log_of(whole("theirs.default"), "theirs.default"), ("mine.", "theirs.")
    )


def test_a_whole_log_is_in_order_wherever_its_answers_stand() -> None:
    assert found_in(whole()) == []
    other = log_of(whole("theirs.default"), "theirs.default", gap=7)
    assert differences(log_of(whole()), other, ("mine.", "theirs.")) == []


def changed(events: Events, offset: int, **facts: Any) -> Events:
    event: Any = events[offset]
    return [*events[:offset], replace(event, **facts), *events[offset + 1 :]]


def rationale_changed(events: Events, **facts: Any) -> Events:
    event: Any = events[5]
    return changed(events, 5, rationale=replace(event.rationale, **facts))


def record_changed(events: Events, **facts: Any) -> Events:
    event: Any = events[5]
    data = event.rationale.source_data
    records = (replace(data.records[0], **facts),)
    return rationale_changed(events, source_data=replace(data, records=records))


DOCTORED: dict[str, tuple[Callable[[Events], Events], str]] = {
    "an answer is missing": (lambda e: e[:5] + e[6:], "is answered 0 times"),
    "the last answer is missing": (lambda e: e[:-1], "1 answers, undisturbed 2"),
    "an answer is there twice": (lambda e: [*e, e[5]], "event answer-1 is in the log 2 times"),
    "a trigger is answered twice": (
        lambda e: [*e, replace(e[7], event_id="another")],
        "trigger trigger-2 is answered 2 times",
    ),
    "a call is there twice": (lambda e: [*e, e[4]], "event call-1-0 is in the log 2 times"),
    "a call is missing": (lambda e: [*e[:6], e[3], e[7]], "names call call-2"),
    "a call was for something else": (
        lambda e: changed(e, 4, purpose=CallPurpose.PORTFOLIO_CONTEXT),
        "was for portfolio_context",
    ),
    "answers are swapped": (
        lambda e: [*e[:5], e[7], e[6], e[5]],
        "decision-1 stands behind decision-2",
    ),
    "a quantity is another": (lambda e: changed(e, 5, quantity=e[5].quantity + 1), "quantity is"),  # type: ignore[union-attr]
    "a decision id is another": (lambda e: changed(e, 5, decision_id="other"), "decision_id is"),
    "a reason is another": (
        lambda e: changed(e, 7, reason=DeclineReason.NO_POSITION),
        'reason is "no_position"',
    ),
    "a made one became a declined one": (
        lambda e: [*e[:5], answer(DecisionDeclined, e, 1, 1, TOPIC), *e[6:]],
        "answer 1 differs",
    ),
    "a strength is another": (
        lambda e: rationale_changed(e, signal_strength=e[5].rationale.signal_strength + 1),  # type: ignore[union-attr]
        "rationale is",
    ),
    "a price is another": (
        lambda e: rationale_changed(
            e,
            market_context=replace(e[5].rationale.market_context, current_price=1),  # type: ignore[union-attr, type-var]
        ),
        "rationale is",
    ),
    "a reason names another position": (
        lambda e: changed(e, 7, reason_text="the event at mine.default/1/1 can't be read"),
        "reason_text is",
    ),
    "an answer saw more than its trigger": (
        lambda e: changed(e, 5, view_through=2),
        "saw through 2, its trigger is at 1",
    ),
    "an answer uses what came later": (
        lambda e: record_changed(e, offset=2, event_id="record-2"),
        "names record-2, which it can't have seen",
    ),
    "a record stands elsewhere": (
        lambda e: record_changed(e, offset=1),
        "names record-1 where it does not stand",
    ),
    "an answer to no trigger": (
        lambda e: [*e, replace(e[7], event_id="another", cause=cause_of(e, 2))],
        "answers record-2, no trigger",
    ),
}


@pytest.mark.parametrize("name", DOCTORED)
def test_a_doctored_log_is_found_out(name: str) -> None:
    doctor, complaint = DOCTORED[name]
    assert [text for text in found_in(doctor(whole())) if complaint in text]


def test_one_that_woke_must_not_answer_what_others_had_answered() -> None:
    log = log_of(whole())
    assert answered_too_late(log, [Woken("one", {PLACE: 8})]) == []
    assert answered_too_late(log, [Woken("another", {PLACE: 4})]) == []
    late = answered_too_late(log, [Woken("one", {PLACE: 6})])
    assert late == ["one woke and wrote tradetrail.events.DecisionDeclined at mine.default/1/7"]


def test_what_may_differ_is_no_difference() -> None:
    events = whole()
    for offset in (5, 7):
        one: Any = events[offset]
        assert isinstance(one, Answer)
        market = replace(one.rationale.market_context, api_call_ids=("call-2",))  # type: ignore[type-var]
        events = changed(
            events, offset, instance="two", rationale=replace(one.rationale, market_context=market)
        )
    assert found_in(events) == []
