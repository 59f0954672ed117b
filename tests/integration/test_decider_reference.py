"""Reference facts in a live decision: those known and valid at its trigger, with their places, and how far it read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.eventually import eventually
from tests.integration.decider_harness import running_decider, simulated_alpaca
from tests.integration.disclosed import Row, morning, publish, run_events
from tests.reference_facts import seat, sector
from tradetrail.events import Event
from tradetrail.events.generated import DecisionMade, DisclosureRecorded, SeatChange
from tradetrail.log.codec import Codec
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.log.reader import end_offsets
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack
DAY = date(2024, 2, 5)
BEFORE, AFTER = DAY - timedelta(days=9), DAY + timedelta(days=1)


def record(log: SharedSettings, facts: Sequence[Event], name: str) -> None:
    """Commit facts, and wait until those who read committed events see them."""
    topic = Topics.of(log).reference
    producer = TransactionalProducer(log, Codec(log.registry_url), f"{log.topic_prefix}test-{name}")
    producer.start()
    places = producer.commit([Outgoing(topic, "key", fact) for fact in facts])
    eventually(lambda: end_offsets(log, [(topic, 0)])[topic, 0] > places[-1][2])


def bought(symbol: str, run_id: str) -> list[Event]:
    """Return a run in which Ann, known by her id, bought for little and for nobody else."""
    events = run_events(symbol, run_id, morning(DAY), [Row("Ann", amount_usd_min=15_001)])
    return [
        replace(each, person_id="A1") if isinstance(each, DisclosureRecorded) else each
        for each in events
    ]


def test_a_decision_rests_on_the_facts_of_its_trigger_and_says_how_far_it_read(
    log: SharedSettings,
) -> None:
    topic = Topics.of(log).reference
    known: list[Event] = [
        sector("AAPL", "Information Technology", BEFORE),
        seat("A1", "HSSY", BEFORE, role="Chair"),
        # What is recorded of later days must not count, however far the topic has grown.
        sector("AAPL", "Consumer Staples", AFTER),
        seat("A1", "HSSY", AFTER, SeatChange.ENDED),
    ]
    with simulated_alpaca() as alpaca, running_decider(log, alpaca) as decider:
        publish(log, bought("MSFT", "run-1"))
        (without,) = decider.answers("MSFT", 1)
        record(log, known, "facts")
        publish(log, bought("AAPL", "run-2"))
        (made,) = decider.answers("AAPL", 1)
    # 1.5 for her band alone; with her seat 2.25, which reaches the threshold of 2.
    assert not isinstance(without, DecisionMade)
    assert without.reference_through == ()
    assert without.rationale.reference_facts == ()
    assert isinstance(made, DecisionMade)
    assert (made.strategy_version, made.rationale.signal_strength) == ("1.1.0", Decimal("2.25"))
    assert [(f.kind, f.subject, f.value) for f in made.rationale.reference_facts] == [
        ("sector", "AAPL", "Information Technology"),
        ("committee_seat", "A1", "HSSY Committee HSSY (Chair)"),
    ]
    assert [(f.topic, f.offset) for f in made.rationale.reference_facts] == [(topic, 0), (topic, 1)]
    (through,) = made.reference_through
    assert (through.topic, through.partition) == (topic, 0)
    assert through.offset >= 3
