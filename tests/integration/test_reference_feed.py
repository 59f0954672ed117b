"""The reference topic followed on a real log: to its committed end, no further, and again when it was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from services.decider.views.reference_feed import ReferenceFeed
from services.decider.views.view import Reference
from tests.eventually import eventually
from tests.integration.log_events import configuration_recorded
from tests.reference_facts import at, seat, sector
from tradetrail.errors import Retryable
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_producer
from tradetrail.log.producer import Outgoing, TransactionalProducer
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack
DAY = date(2024, 3, 15)


@pytest.fixture
def writer(log: SharedSettings) -> TransactionalProducer:
    producer = TransactionalProducer(
        log, Codec(log.registry_url), f"{log.topic_prefix}test-ingestor"
    )
    producer.start()
    return producer


@pytest.fixture
def feed(log: SharedSettings) -> Iterator[ReferenceFeed]:
    made = ReferenceFeed(log, Codec(log.registry_url), Topics.of(log))
    yield made
    made.close()


def known(feed: ReferenceFeed) -> Reference:
    return feed.book.as_of("XOM", ["A1"], at(DAY, 7), feed.up_to_date())


def test_it_reads_to_the_committed_end_each_time_and_no_further(
    log: SharedSettings, feed: ReferenceFeed, writer: TransactionalProducer
) -> None:
    topic = Topics.of(log).reference
    assert feed.up_to_date() == ()
    writer.commit(
        [
            Outgoing(topic, "XOM", sector("XOM", "Energy", DAY)),
            Outgoing(topic, "other", configuration_recorded("no fact")),
        ]
    )
    plain = open_producer(log)
    plain.produce(topic, b"no event", b"XOM")
    plain.flush(10)
    eventually(lambda: feed.up_to_date() and feed.up_to_date()[0].offset == 3)
    first = feed.up_to_date()
    found = feed.book.as_of("XOM", ["A1"], at(DAY, 7), first)
    assert found.sector is not None
    assert (found.sector.name, found.sector.fact.topic, found.sector.fact.offset) == (
        "Energy",
        topic,
        0,
    )
    assert [(p.topic, p.partition) for p in first] == [(topic, 0)]
    assert feed.up_to_date() == first

    # What a transaction has not committed yet is not there, and is not waited for.
    opened = open_producer(log, f"{log.topic_prefix}test-open")
    opened.init_transactions(30)
    opened.begin_transaction()
    opened.produce(
        topic, Codec(log.registry_url).encode(seat("A1", "HSIF", DAY)), b"A1", partition=0
    )
    opened.flush(10)
    assert feed.up_to_date() == first
    opened.commit_transaction(30)
    # The broker may end a transaction a moment after it has said so.
    eventually(lambda: feed.up_to_date() != first)
    assert feed.up_to_date()[0].offset > first[0].offset
    assert known(feed).seats["A1"][0].committee_id == "HSIF"
    # As of the earlier reading nothing has changed.
    assert feed.book.as_of("XOM", ["A1"], at(DAY, 7), first) == found


def test_a_log_that_is_away_is_retryable_and_read_anew_afterwards(
    log: SharedSettings,
    feed: ReferenceFeed,
    writer: TransactionalProducer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = Topics.of(log).reference
    writer.commit([Outgoing(topic, "A1", seat("A1", "HSIF", DAY))])
    eventually(lambda: "A1" in known(feed).seats)
    writer.commit([Outgoing(topic, "XOM", sector("XOM", "Energy", DAY))])

    def away(*_: object) -> None:
        raise Retryable("cut off in the middle")

    def is_cut_off() -> bool:
        try:
            feed.up_to_date()
        except Retryable as error:
            return "cut off" in str(error)
        return False

    with monkeypatch.context() as patch:
        patch.setattr(feed, "_take", away)
        eventually(is_cut_off)
    eventually(lambda: known(feed).sector is not None)
    assert "A1" in known(feed).seats
