"""A start on a log with a long past: reading begins at its border, and what counts is known as if all had been read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from confluent_kafka import murmur2

from services.executor.feed import Feed
from services.executor.look_back import LookBack, demand_whole
from services.executor.settings import ExecutorSettings
from services.executor.state.book import Book
from services.executor.state.entries import decided
from tests.eventually import eventually
from tests.integration.executor.harness import IN_SESSION, Desk, Process, decision_made
from tests.unit.executor_events import EVENTS
from tradetrail.events import Event
from tradetrail.events.generated import Cause, Control, RiskCheck
from tradetrail.log.kafka import open_consumer
from tradetrail.log.producer import Outgoing
from tradetrail.log.reader import Place, partition_counts
from tradetrail.log.window_start import CLOSE_ENOUGH

pytestmark = pytest.mark.stack

# Twice as many events, of which the search for the border may leave CLOSE_ENOUGH to be read.
OLD_DECISIONS = 2_500
LONG_AGO = "2020-08-03T14:00:00+00:00"
_HALTED = RiskCheck(control=Control.HALT, passed=False, unit="yes=1", explanation="halted")


def place_of(desk: Desk, symbol: str) -> Place:
    """Return where a symbol's events stand."""
    topic = desk.topics.for_symbol(symbol)
    return topic, murmur2(symbol.encode(), partition_counts(desk.settings, [topic])[topic])


def finished(place: Place) -> Iterator[Event]:
    """Yield decisions of long ago, each with its end behind it, as they stand in an empty partition."""
    then = datetime.fromisoformat(LONG_AGO).astimezone(UTC)
    for number in range(OLD_DECISIONS):
        made = decision_made(f"old-{number}", at=LONG_AGO)
        topic, partition = place
        cause = Cause(topic=topic, partition=partition, offset=2 * number, event_id=made.event_id)
        yield made
        yield EVENTS.blocked(decided(made, cause), _HALTED, (_HALTED,), then)


def told_at_start(process: Process) -> dict[str, Any]:
    """Return what an executor logged when it had taken over."""
    for line in process.logs.read_text("utf-8").splitlines():
        if "acting for the account" in line:
            content: dict[str, Any] = json.loads(line)
            return content
    raise AssertionError(f"it never acted: {process.logs.read_text('utf-8')[-500:]}")


def folded(desk: Desk, look_back: LookBack, starts: dict[Place, int]) -> tuple[Book, int]:
    """Return the book by all from ``starts`` on, and how many events made it."""
    book, count = Book(), 0
    now = datetime.fromisoformat(IN_SESSION).astimezone(UTC)
    book.begin_at(starts, look_back.border(now))
    with closing(Feed(desk.settings, desk.codec, desk.topics.trade(), starts)) as feed:
        for event, at in feed.catch_up():
            book.fold(event, at)
            count += 1
        assert feed.skipped_count == 0
    return book, count


def known(book: Book) -> dict[str, Any]:
    """Return all of a book that anything is decided by."""
    return {
        "open": book.open,
        "waiting": {symbol: [d.decision_id for d in q] for symbol, q in book.waiting.items()},
        "unfinished": {place: left for place, left in book.unfinished.items() if left},
        "acts": book.acts,
        "retrying": book.retrying,
        "days": {day: use for day, use in book.reserved.days.items() if use.order_count},
        "reserved": list(book.reserved.open()),
    }


def test_a_start_on_a_long_log_reads_from_its_border_and_knows_what_a_reader_of_all_knows(
    desk: Desk,
) -> None:
    desk.alpaca.control(now=IN_SESSION)
    place = place_of(desk, "ACME")
    old = [Outgoing(place[0], "ACME", event) for event in finished(place)]
    for begin in range(0, len(old), 2_000):
        desk.producer.send(old[begin : begin + 2_000])
    # The first one has no committed offset to begin at: it reads everything.
    first = desk.active_executor()
    assert told_at_start(first)["read_from"] == 0
    assert told_at_start(first)["decisions"] == OLD_DECISIONS
    open_ones = [
        decision_made("open", "ACME", limit_price="90", at=IN_SESSION),
        decision_made("open-too", "SPLT", limit_price="300", quantity="1", at=IN_SESSION),
    ]
    desk.decide(*open_ones)
    eventually(first.health, lambda health: health["unanswered"] == 2)
    for decision in open_ones:
        eventually(partial(desk.statuses, decision), lambda story: len(story) > 1)
    assert first.stop() == 0
    late = decision_made("late", "ACME", quantity="3", limit_price="91", at=IN_SESSION)
    desk.decide(late)

    look_back = LookBack(ExecutorSettings())
    group = f"{desk.settings.topic_prefix}executor-paper"
    now = datetime.fromisoformat(IN_SESSION).astimezone(UTC)
    with closing(open_consumer(desk.settings, group)) as consumer:
        starts = look_back.begin(desk.settings, consumer, desk.topics.trade(), now)
    assert len(old) - CLOSE_ENOUGH <= starts[place] <= len(old)
    bounded, read_count = folded(desk, look_back, starts)
    whole, all_count = folded(desk, look_back, {})
    assert all_count - read_count >= len(old) - CLOSE_ENOUGH
    demand_whole(bounded, group)
    assert known(bounded) == known(whole)
    assert len(bounded.open) == 2
    assert [d.decision_id for d in bounded.waiting["ACME"]] == [late.decision_id]

    second = desk.active_executor()
    assert told_at_start(second)["read_from"] == sum(starts.values())
    assert told_at_start(second)["decisions"] == len(bounded.decisions)
    eventually(second.health, lambda health: health["unanswered"] == 3)
    assert second.health()["skipped_events"] == 0
    assert len(desk.orders()) == 3
